"""Fifty chats at once whose calls a model makes: none is crossed with another, and the engine holds what it held before."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import openai

TOOL = {"type": "function", "function": {"name": "time__get_current_time"}}


def chat(client, i):
    reply = client.chat.completions.create(
        model="default",
        messages=[{"role": "user", "content": f"What time is it in city {i}?"}],
        tool_choice=TOOL,
        parallel_tool_calls=False,
        max_tokens=60,
        temperature=1,
        seed=i,
        extra_body={"mcp": {"tools": ["time__get_current_time"]}},
    )
    events = getattr(reply, "mcp_events", None)
    if not events:  # The model did not come to the end of its call.
        assert reply.choices[0].finish_reason == "length"
        return []
    call, result = events[:2]
    assert call["tool_call_id"] == result["tool_call_id"]
    zone = json.loads(call["arguments"])["timezone"]
    # The result is of this very call: it names the zone, or refuses it by its name.
    assert zone[:20] in result["content"] or '"is_error": true' in json.dumps(result)
    return [event["tool_call_id"] for event in events if event["type"] == "tool_call"]


def chats(base_url):
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=280) as client:
        with ThreadPoolExecutor(50) as pool:
            return sum(pool.map(lambda i: chat(client, i), range(50)), [])


def held(client):
    gauges = client.get("/status", cast_to=object)["engine"]["gauges"]
    return gauges["live_handles"], gauges["kv_blocks_used"]


def test_fifty_at_once_leave_the_engine_as_it_was(client, base_url):
    chat(client, 0)  # What all prompts begin with is computed once.
    before = held(client)
    ids = chats(base_url)
    assert len(ids) >= 20 and len(set(ids)) == len(ids)
    for _ in range(120):
        if held(client) == before:
            break
        time.sleep(0.25)
    assert held(client) == before
