"""The AWS clients: made once, with decided limits, and called in parallel."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions import aws
from functions.aws import clients
from functions.settings import forget_settings


@pytest.fixture
def region(monkeypatch):
    """A region for clients, and no clients of other tests."""

    def fresh():
        forget_settings()
        clients._client.cache_clear()

    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    fresh()
    yield "eu-west-1"
    fresh()


def test_threads_that_ask_at_the_same_time_get_one_client(region):
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(aws.client, ["dynamodb"] * 8))
    assert len(made) == 1
    assert made.pop().meta.region_name == region


@pytest.mark.parametrize(
    ("service", "read_timeout"), [("dynamodb", 3), ("s3", 10), ("secretsmanager", 5)]
)
def test_a_client_has_the_decided_limits(region, service, read_timeout):
    config = aws.client(service).meta.config
    assert (config.connect_timeout, config.read_timeout) == (1, read_timeout)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert config.max_pool_connections == clients.POOL


async def test_parallel_calls_have_all_ended_when_the_first_error_is_raised():
    ended = []
    failed = asyncio.Event()

    async def fail():
        failed.set()
        raise ValueError("first")

    async def write():
        await failed.wait()
        await asyncio.sleep(0)
        ended.append("write")

    with pytest.raises(ValueError, match="first"):
        await aws.together(fail(), write())
    assert ended == ["write"]


async def test_parallel_calls_give_their_results_in_order():
    assert await aws.together(aws.call(str, object=2), aws.call(str, object=1)) == ["2", "1"]
