"""Replies that must be something, through OpenAI's own helpers, on a model that alone would fail."""

import concurrent.futures
import enum
import json
import os
import random
import re

import jsonschema
import openai
import pydantic
import pytest


class Mood(enum.Enum):
    good = "good"
    bad = "bad"


class Step(pydantic.BaseModel):
    explanation: str = pydantic.Field(max_length=40)
    output: int


class Report(pydantic.BaseModel):
    title: str = pydantic.Field(max_length=40)
    mood: Mood
    steps: list[Step] = pydantic.Field(max_length=2)
    score: float | None


class GetWeather(pydantic.BaseModel):
    """The weather at a place."""

    city: str = pydantic.Field(max_length=30)
    days: int


REPLIES = int(os.environ["REPLIES"])
ASK = [{"role": "user", "content": "How was the weather in Paris? Write a report."}]


@pytest.mark.parametrize("seed", range(2))
def test_parse_gives_the_model_of_pydantic(client, seed):
    completion = client.chat.completions.parse(
        model="default", messages=ASK, response_format=Report, temperature=1.5, seed=seed, max_tokens=600
    )
    assert isinstance(completion.choices[0].message.parsed, Report)


@pytest.mark.parametrize("seed", range(2))
def test_parse_gives_the_arguments_of_a_pydantic_function(client, seed):
    completion = client.chat.completions.parse(
        model="default",
        messages=ASK,
        tools=[openai.pydantic_function_tool(GetWeather)],
        tool_choice="required",
        parallel_tool_calls=False,
        temperature=1.5,
        seed=seed,
        max_tokens=300,
    )
    (call,) = completion.choices[0].message.tool_calls
    assert completion.choices[0].finish_reason == "tool_calls"
    assert isinstance(call.function.parsed_arguments, GetWeather)


def test_the_streaming_helper_tells_of_arguments_as_they_come(client):
    deltas = 0
    with client.chat.completions.stream(
        model="default",
        messages=ASK,
        tools=[openai.pydantic_function_tool(GetWeather)],
        tool_choice={"type": "function", "function": {"name": "GetWeather"}},
        parallel_tool_calls=False,
        seed=1,
        temperature=1,
        max_tokens=300,
    ) as stream:
        for event in stream:
            deltas += event.type == "tool_calls.function.arguments.delta"
        message = stream.get_final_completion().choices[0].message
    assert deltas > 3
    assert isinstance(message.tool_calls[0].function.parsed_arguments, GetWeather)


def test_the_streaming_helper_parses_content(client):
    with client.chat.completions.stream(
        model="default", messages=ASK, response_format=Report, temperature=0.7, seed=2, max_tokens=600
    ) as stream:
        pieces = [event.delta for event in stream if event.type == "content.delta"]
        message = stream.get_final_completion().choices[0].message
    assert len(pieces) > 8, "it comes as it is written"
    assert "".join(pieces) == message.content
    assert isinstance(message.parsed, Report)


def test_several_at_once(client):
    reply = client.chat.completions.create(
        model="default",
        messages=ASK,
        n=2,
        seed=5,
        temperature=1,
        logprobs=True,
        max_tokens=300,
        tools=[openai.pydantic_function_tool(GetWeather)],
        response_format={"type": "json_schema", "json_schema": {"name": "r", "strict": True, "schema": SCHEMAS[0]}},
    )
    assert len(reply.choices) == 2
    for choice in reply.choices:
        assert choice.logprobs.content
        for call in choice.message.tool_calls or []:
            GetWeather.model_validate_json(call.function.arguments)
        if choice.message.content and choice.finish_reason == "stop":
            jsonschema.validate(json.loads(choice.message.content), SCHEMAS[0])


def test_a_result_goes_back_into_the_conversation(client):
    tools = [openai.pydantic_function_tool(GetWeather)]
    first = client.chat.completions.create(
        model="default",
        messages=ASK,
        tools=tools,
        tool_choice="required",
        parallel_tool_calls=False,
        max_tokens=300,
        seed=1,
    )
    calls = first.choices[0].message.tool_calls
    results = [{"role": "tool", "tool_call_id": c.id, "content": "Sunny."} for c in calls]
    second = client.chat.completions.create(
        model="default",
        messages=[*ASK, first.choices[0].message.model_dump(), *results],
        tools=tools,
        tool_choice="none",
        max_tokens=20,
    )
    assert second.choices[0].message.content and not second.choices[0].message.tool_calls


def closed(properties, required=None):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
    }


WORD = {"type": "string", "maxLength": 12}
SCHEMAS = [
    closed({"a": {"type": "integer", "minimum": -5, "maximum": 500}, "b": {"type": "boolean"}}),
    closed({"kind": {"enum": ["x", "y y", 3, None]}, "words": {"type": "array", "items": WORD, "minItems": 1, "maxItems": 3}}),
    closed({"date": {"type": "string", "format": "date"}, "n": {"type": "number"}}),
    closed({"code": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"}, "opt": WORD}, required=["code"]),
    closed({"one": {"anyOf": [{"type": "null"}, closed({"deep": closed({"z": WORD})})]}}),
    {"type": "array", "items": closed({"id": {"type": "integer"}}), "minItems": 1, "maxItems": 2},
    {"$defs": {"leaf": closed({"v": WORD})}, **closed({"l": {"$ref": "#/$defs/leaf"}, "r": {"$ref": "#/$defs/leaf"}})},
    {"const": {"fixed": [1, 2, {"three": "4"}]}},
]


def test_replies_are_what_they_must_be(client):
    """Varied schemas, calls, free text, grammars and regular expressions beside each other."""
    rng = random.Random(11)
    seeds = [rng.randrange(10**9) for _ in range(REPLIES)]
    constrained = ended = 0

    def ask(i):
        schema = SCHEMAS[i % len(SCHEMAS)]
        kind = i % 5
        more = {}
        if kind <= 1:
            more["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "s", "strict": True, "schema": schema},
            }
        elif kind == 2 and schema.get("type") == "object":
            more["tools"] = [{"type": "function", "function": {"name": "call_it", "parameters": schema}}]
            more["tool_choice"] = "required"
        elif kind == 3:
            more["extra_body"] = {"guided_regex": "[a-f]{3,9}(-[0-9]{2})?"}
        reply = client.chat.completions.create(
            model="default",
            messages=ASK,
            temperature=1.5,
            seed=seeds[i],
            max_tokens=160 if more else 16,
            **more,
        )
        return kind, schema, more, reply.choices[0]

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        for kind, schema, more, choice in pool.map(ask, range(REPLIES)):
            constrained += bool(more)
            if not more or choice.finish_reason == "length":
                continue
            ended += 1
            for call in choice.message.tool_calls or []:
                jsonschema.validate(json.loads(call.function.arguments), schema)
            if "tools" in more:
                assert choice.finish_reason == "tool_calls" and choice.message.tool_calls
            elif "response_format" in more:
                jsonschema.validate(json.loads(choice.message.content), schema)
            elif kind == 3:
                assert re.fullmatch("[a-f]{3,9}(-[0-9]{2})?", choice.message.content)
    assert ended > constrained * 0.8


HOSTILE = {
    "many": lambda: {"type": "array", "items": {"type": "object"}, "minItems": 1_000_000},
    "enum": lambda: {"enum": [f"value {i}" for i in range(100_000)]},
    "circle": lambda: {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    "counts": lambda: {"type": "string", "pattern": "^(((a{900}){900}){900}b)$"},
    "file": lambda: {"$ref": "file:///etc/passwd"},
    "remote": lambda: {"$ref": "http://127.0.0.1:9/schema.json"},
}


def test_hostile_schemas_are_refused_while_a_reply_goes_on(client):
    stream = client.chat.completions.create(
        model="default", messages=ASK, stream=True, max_tokens=60, extra_body={"ignore_eos": True}
    )
    chunks = iter(stream)
    next(chunks)
    for name, schema in HOSTILE.items():
        with pytest.raises(openai.BadRequestError) as e:
            client.chat.completions.create(
                model="default",
                messages=ASK,
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "s", "strict": True, "schema": schema()},
                },
            )
        assert e.value.param == "response_format.json_schema.schema", name
    rest = list(chunks)
    assert len(rest) > 30
    assert rest[-1].choices[0].finish_reason == "length"
