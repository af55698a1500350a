"""Answers that take a while, by OpenAI's Python SDK: what runs is seen, ended and timed out."""

import time

import openai
import pytest


def ask(client, **more):
    return client.completions.create(
        model="default", prompt="word ", max_tokens=200, extra_body={"ignore_eos": True}, **more
    )


def test_a_stream_that_is_cancelled_ends_within_a_step(client):
    text, reason, cancelled = "", None, None
    for chunk in ask(client, stream=True):
        text += chunk.choices[0].text
        reason = chunk.choices[0].finish_reason
        if cancelled is None and len(text) >= 5:
            rows = client.get("/status", cast_to=object)["requests"]
            assert [(r["id"], r["phase"]) for r in rows] == [(chunk.id, "decode")]
            cancelled = client.post(f"/requests/{chunk.id}/cancel", cast_to=object)["cancelled"]
            assert [c["id"] for c in cancelled] == [chunk.id]
    assert reason == "abort"
    assert cancelled[0]["choices"] == [{"index": 0, "completion_tokens": len(text)}]
    assert client.get("/status", cast_to=object)["requests"] == []
    with pytest.raises(openai.NotFoundError) as e:
        client.post(f"/requests/{chunk.id}/cancel", cast_to=object)
    assert e.value.code == "request_not_found"


def test_what_took_too_long_is_not_asked_again(client):
    patient = client.with_options(max_retries=2)
    began = time.monotonic()
    with pytest.raises(openai.InternalServerError) as e:
        patient.completions.create(
            model="default",
            prompt="word ",
            max_tokens=200,
            extra_body={"ignore_eos": True, "timeout": 0.5},
        )
    assert e.value.status_code == 504 and e.value.code == "request_timeout"
    assert time.monotonic() - began < 1.2
    text = client._client.get(str(client.base_url).replace("/v1/", "/metrics")).text
    assert 'outcome="request_timeout"} 1.0' in text
    assert 'outcome="abort"' in text
