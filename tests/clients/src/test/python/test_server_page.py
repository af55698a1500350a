"""The examples of the original server's manual, as they stand there."""

import json

import openai
import pytest


def test_non_streaming(client):
    response = client.chat.completions.create(
        model="default",
        messages=[{"role": "user", "content": "Hello!"}],
        max_tokens=100,
    )
    assert response.choices[0].message.content
    assert response.usage.completion_tokens <= 100


def test_streaming(client, capsys):
    stream = client.chat.completions.create(
        model="default",
        messages=[{"role": "user", "content": "Tell me a story"}],
        stream=True,
        max_tokens=64,  # not in the example: a story may be long
    )
    for chunk in stream:
        if chunk.choices[0].delta.content:
            print(chunk.choices[0].delta.content, end="")
    assert len(capsys.readouterr().out) > 20


def test_completions(client):
    response = client.completions.create(
        model="default",
        prompt="The capital of France is",
        max_tokens=50,
    )
    assert response.choices[0].text


def test_models(client):
    assert len(client.models.list().data) == 1


def test_health(base_url):
    import urllib.request

    with urllib.request.urlopen(base_url.replace("/v1", "/health")) as reply:
        assert json.load(reply)["status"] == "healthy"


JSON_SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "colors",
        "schema": {
            "type": "object",
            "properties": {"colors": {"type": "array", "items": {"type": "string"}}},
            "required": ["colors"],
        },
    },
}


@pytest.mark.parametrize("response_format", [{"type": "json_object"}, JSON_SCHEMA])
def test_json_mode_is_refused_until_it_can_be_kept(client, response_format):
    with pytest.raises(openai.BadRequestError) as e:
        client.chat.completions.create(
            model="default",
            messages=[{"role": "user", "content": "List 3 colors"}],
            response_format=response_format,
        )
    assert e.value.param == "response_format" and e.value.code == "unsupported_parameter"
