"""Tools that the server runs, by OpenAI's Python SDK: the model calls mcp-server-time and answers."""

import json

QUESTION = [{"role": "user", "content": "What time is it in UTC?"}]
TIME = {"type": "function", "function": {"name": "time__get_current_time"}}


def check(events):
    assert [e["type"] for e in events[:2]] == ["tool_call", "tool_result"]
    call, result = events[:2]
    assert call["tool_name"] == result["tool_name"] == "time__get_current_time"
    assert call["tool_call_id"] == result["tool_call_id"]
    assert isinstance(json.loads(call["arguments"])["timezone"], str)
    # A small model may name a zone that is none: then that is what the server says.
    assert '"datetime"' in result["content"] or "timezone" in result["content"].lower()


def ask(client, **more):
    return client.chat.completions.create(
        model="default",
        messages=QUESTION,
        tool_choice=TIME,
        parallel_tool_calls=False,
        max_tokens=100,
        temperature=0,
        **more,
    )


def test_the_tool_is_run_and_the_answer_arrives(client):
    reply = ask(client)
    check(reply.mcp_events)
    choice = reply.choices[0]
    assert choice.message.tool_calls is None
    assert choice.finish_reason in ("stop", "length")
    assert choice.message.content
    rounds = 1 + max(event["round"] for event in reply.mcp_events)
    assert reply.usage.completion_tokens > rounds


def test_a_stream_shows_each_step(client):
    events, text, reasons, usage = [], "", [], None
    for chunk in ask(client, stream=True, stream_options={"include_usage": True}):
        events += getattr(chunk, "mcp_events", None) or []
        usage = chunk.usage
        for choice in chunk.choices:
            assert not choice.delta.tool_calls
            text += choice.delta.content or ""
            reasons += [choice.finish_reason] if choice.finish_reason else []
    check(events)
    assert text and len(reasons) == 1
    assert usage.completion_tokens > 1


def test_the_client_may_run_the_tool_itself(client):
    reply = ask(client, extra_body={"mcp": {"execute": "none"}})
    choice = reply.choices[0]
    assert choice.finish_reason == "tool_calls"
    call = choice.message.tool_calls[0].function
    executed = client.post(
        "/mcp/execute",
        body={"tool_name": call.name, "arguments": json.loads(call.arguments)},
        cast_to=object,
    )
    assert executed["outcome"] in ("ok", "tool_error")


def test_it_is_there_to_see(client):
    names = [t["function"]["name"] for t in client.get("/mcp/tools", cast_to=object)["data"]]
    assert "time__get_current_time" in names
    assert client.get("/mcp/servers", cast_to=object)["data"][0]["state"] == "ready"
