"""OpenAI's Python SDK against the echo engine, whose answers are known to the letter."""

import openai
import pytest

TEXT = "The quick brown fox jumps over the lazy dog."


def chat(client, **more):
    return client.chat.completions.create(
        model="default", messages=[{"role": "user", "content": TEXT}], **more
    )


def test_chat(client):
    reply = chat(client)
    assert reply.object == "chat.completion"
    assert reply.choices[0].message.role == "assistant"
    assert reply.choices[0].message.content == TEXT
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_stream_adds_up_to_the_chat(client):
    chunks = list(chat(client, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == TEXT
    ends = [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason]
    assert ends == ["stop"]
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens > 0
    assert all(c.usage is None for c in chunks[:-1])
    assert len({c.id for c in chunks}) == 1


def test_stream_helper(client):
    with client.chat.completions.stream(
        model="default", messages=[{"role": "user", "content": TEXT}]
    ) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content == TEXT


def test_several_choices(client):
    reply = chat(client, n=3)
    assert [c.index for c in reply.choices] == [0, 1, 2]
    assert all(c.message.content == TEXT for c in reply.choices)


def test_max_tokens_ends_with_length(client):
    reply = chat(client, max_tokens=5)
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 5
    assert TEXT.startswith(reply.choices[0].message.content)


def test_stop_is_cut_out(client):
    reply = chat(client, stop=["fox jumps", "dog"])
    assert reply.choices[0].message.content == "The quick brown "
    assert reply.choices[0].finish_reason == "stop"


def test_logprobs(client):
    reply = chat(client, logprobs=True, top_logprobs=2)
    content = reply.choices[0].logprobs.content
    assert b"".join(bytes(t.bytes) for t in content[: len(TEXT)]).decode() == TEXT
    assert all(t.logprob <= 0 for t in content)


def test_completion(client):
    reply = client.completions.create(model="default", prompt=TEXT, echo=True)
    assert reply.object == "text_completion"
    assert reply.choices[0].text == TEXT + TEXT


def test_completions_of_several_prompts(client):
    reply = client.completions.create(model="default", prompt=["one", "two"], n=2)
    assert [c.text for c in reply.choices] == ["one", "one", "two", "two"]


def test_completion_stream(client):
    chunks = client.completions.create(model="default", prompt=TEXT, stream=True)
    assert "".join(c.choices[0].text for c in chunks) == TEXT


def test_models(client):
    models = client.models.list().data
    assert [m.id for m in models] == ["echo"]
    assert client.models.retrieve("echo").id == "echo"


def test_the_served_id_and_default_both_work(client):
    for name in ("echo", "default"):
        reply = client.chat.completions.create(
            model=name, messages=[{"role": "user", "content": "hi"}]
        )
        assert reply.model == "echo"


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as e:
        client.chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "x"}])
    assert e.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", 3),
        ("top_p", 0),
        ("max_tokens", 0),
        ("n", 0),
        ("stop", [""]),
        ("logit_bias", {"-1": 1}),
        ("presence_penalty", -3),
    ],
)
def test_a_bad_value_is_refused_by_name(client, field, value):
    with pytest.raises(openai.BadRequestError) as e:
        chat(client, **{field: value})
    assert e.value.param == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("functions", [{"name": "f", "parameters": {}}]),
        ("prediction", {"type": "content", "content": "x"}),
        ("reasoning_effort", "low"),
    ],
)
def test_what_is_not_done_is_refused_by_name(client, field, value):
    with pytest.raises(openai.BadRequestError) as e:
        chat(client, **{field: value})
    assert e.value.param == field and e.value.code == "unsupported_parameter"


def test_an_engine_without_constraints_says_so(client):
    with pytest.raises(openai.BadRequestError) as e:
        chat(client, response_format={"type": "json_object"})
    assert e.value.param == "response_format" and "constrain" in e.value.message


def test_tools_are_known_to_an_engine_that_calls_none(client):
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    assert chat(client, tools=tools).choices[0].finish_reason == "stop"


def test_an_unknown_field_is_named_in_a_header(client):
    reply = client.chat.completions.with_raw_response.create(
        model="default",
        messages=[{"role": "user", "content": "x"}],
        extra_body={"sparkle": 1},
    )
    assert reply.headers["x-ignored-fields"] == "sparkle"


def test_suffix_is_refused(client):
    with pytest.raises(openai.BadRequestError) as e:
        client.completions.create(model="default", prompt="x", suffix="y")
    assert e.value.param == "suffix"


def test_a_prompt_beyond_the_context(client):
    with pytest.raises(openai.BadRequestError) as e:
        client.completions.create(model="default", prompt="x" * 40_000)
    assert e.value.code == "context_length_exceeded"
