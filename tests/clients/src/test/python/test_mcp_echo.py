"""Tools that the server runs, called word for word: the echo engine says what it is told to."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest


def call(name, **arguments):
    body = json.dumps({"name": name, "arguments": arguments})
    return [{"role": "user", "content": f"<tool_call>\n{body}\n</tool_call>"}]


def ask(client, messages, **more):
    return client.chat.completions.create(model="default", messages=messages, **more)


def test_the_answer_is_the_tools_result(client):
    reply = ask(client, call("time__get_current_time", timezone="Asia/Tokyo"))
    called, result = reply.mcp_events
    assert json.loads(called["arguments"]) == {"timezone": "Asia/Tokyo"}
    assert reply.choices[0].message.content.strip() == result["content"]
    assert json.loads(result["content"])["timezone"] == "Asia/Tokyo"
    assert reply.choices[0].finish_reason == "stop"


def test_a_stream_says_the_same(client):
    events, text = [], ""
    for chunk in ask(
        client,
        call("time__convert_time", source_timezone="UTC", time="12:00", target_timezone="Asia/Tokyo"),
        stream=True,
    ):
        events += getattr(chunk, "mcp_events", None) or []
        text += chunk.choices[0].delta.content or ""
    assert [e["type"] for e in events] == ["tool_call", "tool_result"]
    assert text.strip() == events[1]["content"]
    assert json.loads(text)["time_difference"] == "+9.0h"


def test_what_goes_wrong_is_told(client):
    reply = ask(client, call("time__get_current_time", timezone="Moon/Base"))
    assert reply.mcp_events[1]["is_error"] and "Moon/Base" in reply.mcp_events[1]["content"]
    reply = ask(client, call("time__get_current_time"))
    assert reply.mcp_events[1]["outcome"] == "refused"


@pytest.mark.parametrize("wish", [False, {"servers": []}])
def test_without_tools_a_call_is_text(client, wish):
    messages = call("time__get_current_time", timezone="UTC")
    reply = ask(client, messages, extra_body={"mcp": wish})
    assert reply.choices[0].message.content == messages[0]["content"]


def test_fifty_at_once_keep_to_themselves(client):
    def one(i):
        hour = f"{i % 24:02d}:{i:02d}"
        messages = call(
            "time__convert_time", source_timezone="UTC", time=hour, target_timezone="UTC"
        )
        reply = ask(client, messages)
        content = json.loads(reply.choices[0].message.content)
        return hour in content["source"]["datetime"]

    with ThreadPoolExecutor(50) as pool:
        assert all(pool.map(one, range(50)))
