"""Fifty chats at once that each call a tool: none is crossed with another, nothing is left of them."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import openai

PID = os.environ["SERVER_PID"]


def chat(client, i):
    at = f"{i % 24:02d}:{i:02d}"
    arguments = {"source_timezone": "UTC", "time": at, "target_timezone": "UTC"}
    body = json.dumps({"name": "time__convert_time", "arguments": arguments})
    reply = client.chat.completions.create(
        model="default",
        messages=[{"role": "user", "content": f"<tool_call>\n{body}\n</tool_call>"}],
    )
    called, result = reply.mcp_events
    assert called["tool_call_id"] == result["tool_call_id"]
    assert json.loads(called["arguments"]) == arguments
    assert at in json.loads(reply.choices[0].message.content)["source"]["datetime"]
    return called["tool_call_id"]


def chats(base_url):
    # A client of its own, whose connections end with it.
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=120) as client:
        with ThreadPoolExecutor(50) as pool:
            return list(pool.map(lambda i: chat(client, i), range(50)))


def held():
    """What the server holds of the system: open files and sockets, processes of its own."""
    children = set()
    for task in os.listdir(f"/proc/{PID}/task"):
        try:
            children |= set(open(f"/proc/{PID}/task/{task}/children").read().split())
        except OSError:
            pass  # It has ended meanwhile.
    return len(os.listdir(f"/proc/{PID}/fd")), children


def test_fifty_at_once_leave_nothing_behind(base_url):
    chats(base_url)  # What is made once, such as the loops' own descriptors.
    time.sleep(2)
    before = held()
    assert len(set(chats(base_url))) == 50
    for _ in range(120):
        if held() == before:
            break
        time.sleep(0.25)
    assert held() == before
