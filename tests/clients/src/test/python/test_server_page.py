"""The examples of the original server's manual, as they stand there."""

import json


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


def test_json_object_mode(client):
    response = client.chat.completions.create(
        model="default",
        messages=[{"role": "user", "content": "List 3 colors"}],
        response_format={"type": "json_object"},
        seed=1,  # not in the example: a small model's list may be long
    )
    assert isinstance(json.loads(response.choices[0].message.content), dict)


def test_json_schema_mode(client):
    response = client.chat.completions.create(
        model="default",
        messages=[{"role": "user", "content": "List 3 colors"}],
        response_format={
            "type": "json_schema",
            "json_schema": {
                "name": "colors",
                "schema": {
                    "type": "object",
                    "properties": {"colors": {"type": "array", "items": {"type": "string"}}},
                    "required": ["colors"],
                },
            },
        },
        seed=1,  # not in the example, as above
    )
    # Output validated against schema
    data = json.loads(response.choices[0].message.content)
    assert "colors" in data
