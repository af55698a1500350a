"""The servers of examples/mcp/mcp.json, started by the command of the README."""

import os
import pathlib


def execute(client, tool, **arguments):
    return client.post(
        "/mcp/execute", body={"tool_name": tool, "arguments": arguments}, cast_to=object
    )


def test_both_servers_are_there_and_the_policy_holds(client):
    servers = client.get("/mcp/servers", cast_to=object)["data"]
    assert {s["name"]: s["state"] for s in servers} == {
        "time": "ready",
        "files": "ready",
        "everything": "disabled",
    }
    names = {t["function"]["name"] for t in client.get("/mcp/tools", cast_to=object)["data"]}
    assert {"time__get_current_time", "files__read_text_file"} <= names
    assert not {"files__write_file", "files__edit_file", "files__move_file"} & names


def test_they_do_what_they_are_for(client):
    here = pathlib.Path(os.environ["EXAMPLE"])
    note = execute(client, "files__read_text_file", path=str(here / "note.txt"))
    assert note["content"] == "forty-two" and not note["is_error"]
    outside = execute(client, "files__read_text_file", path="/etc/passwd")
    assert outside["outcome"] == "tool_error" and "denied" in outside["content"].lower()
    tokyo = execute(client, "time__get_current_time", timezone="Asia/Tokyo")
    assert tokyo["structured_content"]["timezone"] == "Asia/Tokyo"


def test_the_model_is_given_a_result_and_answers(client):
    reply = client.chat.completions.create(
        model="default",
        messages=[{"role": "user", "content": "What time is it in UTC?"}],
        tool_choice="required",
        parallel_tool_calls=False,
        max_tokens=120,
        temperature=0,
        extra_body={"mcp": {"tools": ["time__get_current_time"]}},
    )
    called, result = reply.mcp_events[:2]
    assert called["tool_name"] == "time__get_current_time"
    assert result["outcome"] in ("ok", "tool_error") and result["content"]
    assert reply.choices[0].finish_reason in ("stop", "length")
    # All rounds together.
    assert reply.usage.completion_tokens <= 120
