"""OpenAI's Python SDK against the default model."""


def ask(client, **more):
    return client.chat.completions.create(
        model="default",
        messages=[{"role": "user", "content": "What is the capital of France?"}],
        temperature=0,
        max_tokens=24,
        **more,
    )


def test_it_knows_the_capital_of_france(client):
    reply = ask(client)
    assert "Paris" in reply.choices[0].message.content
    assert reply.usage.prompt_tokens > 5


def test_the_stream_says_the_same(client):
    text = "".join(c.choices[0].delta.content or "" for c in ask(client, stream=True))
    assert text == ask(client).choices[0].message.content


def test_the_second_turn_is_cached(client):
    first = ask(client)
    second = client.chat.completions.create(
        model="default",
        messages=[
            {"role": "user", "content": "What is the capital of France?"},
            {"role": "assistant", "content": first.choices[0].message.content},
            {"role": "user", "content": "And of Italy?"},
        ],
        max_tokens=4,
    )
    assert second.usage.prompt_tokens_details.cached_tokens >= first.usage.prompt_tokens - 4


def test_a_seed_gives_the_same_again(client):
    def story():
        return client.chat.completions.create(
            model="default",
            messages=[{"role": "user", "content": "Tell me a story"}],
            seed=7,
            temperature=1.2,
            max_tokens=12,
        ).choices[0].message.content

    assert story() == story()


def test_logprobs_are_sorted_and_sum_to_at_most_one(client):
    import math

    content = ask(client, logprobs=True, top_logprobs=5).choices[0].logprobs.content
    for token in content:
        values = [t.logprob for t in token.top_logprobs]
        assert values == sorted(values, reverse=True)
        assert sum(math.exp(v) for v in values) <= 1.0001
        assert token.logprob == values[0]


def test_completion(client):
    reply = client.completions.create(
        model="default", prompt="The capital of France is", max_tokens=5, temperature=0
    )
    assert "Paris" in reply.choices[0].text
