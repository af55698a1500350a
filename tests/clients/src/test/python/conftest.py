"""The tests here talk to a server that the JUnit test started: its base URL is in VLLM_MLX_URL."""

import os

import openai
import pytest


@pytest.fixture
def base_url():
    return os.environ["VLLM_MLX_URL"]


@pytest.fixture
def client(base_url):
    return openai.OpenAI(base_url=base_url, api_key="not-needed", max_retries=0, timeout=600)
