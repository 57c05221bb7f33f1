"""Texts become vectors, by whichever provider the settings choose."""

import asyncio
import json
import math
import subprocess
import sys
from collections import Counter

import boto3
import pytest
from botocore.config import Config
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from functions.knowledge import openai_embeddings
from functions.knowledge.bedrock_embeddings import BedrockEmbedder
from functions.knowledge.embedder import cut
from functions.knowledge.embeddings import (
    EmbeddingModel,
    EmbeddingRefusedError,
    EmbeddingThrottledError,
    EmbeddingUnavailableError,
    chosen_model,
    embedder_of,
)
from functions.settings import Settings
from tests.support.served import served

HASHING = EmbeddingModel("hashing", "hashing-1", 512)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "GEMINI_API_KEY", "AZURE_OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def given(**values):
    return Settings(_env_file=None, knowledge=True, **values)


PROFILE = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.cohere.embed-v4:0"
AZURE = {"azure_openai_api_key": "k", "azure_openai_endpoint": "https://a.openai.azure.com"}


@pytest.mark.parametrize(
    ("values", "chosen"),
    [
        ({}, HASHING),
        ({"openai_api_key": "k"}, ("openai", "text-embedding-3-small", 1536)),
        ({"gemini_api_key": "k"}, ("gemini", "gemini-embedding-001", 1536)),
        ({"provider": "bedrock"}, ("bedrock", "amazon.titan-embed-text-v2:0", 1024)),
        ({"models": '[{"id": "x", "provider": "bedrock"}]'}, ("bedrock", None, 1024)),
        ({"openai_api_key": "k", "embedding_provider": "hashing"}, HASHING),
        (
            {"openai_api_key": "k", "embedding_model": "text-embedding-3-large"},
            ("openai", "text-embedding-3-large", 3072),
        ),
        ({"openai_api_key": "k", "embedding_dimension": 256}, ("openai", None, 256)),
        (
            {**AZURE, "model": "chat", "embedding_model": "mine", "embedding_dimension": 1536},
            ("azure", "mine", 1536),
        ),
        (
            {
                "openai_api_key": "k",
                "embedding_base_url": "http://localhost:1/v1",
                "embedding_model": "e5",
                "embedding_dimension": 384,
            },
            ("compatible", "e5", 384),
        ),
        (
            {"provider": "bedrock", "embedding_model": "eu.cohere.embed-v4:0"},
            ("bedrock", None, 1536),
        ),
        ({"provider": "bedrock", "embedding_model": PROFILE}, ("bedrock", PROFILE, 1536)),
    ],
)
def test_the_embedding_provider_is_the_one_that_is_set_else_the_chats_else_hashing(values, chosen):
    model = chosen_model(given(**values))
    if isinstance(chosen, EmbeddingModel):
        assert model == chosen
    else:
        provider, name, dimension = chosen
        assert (model.provider, model.dimension) == (provider, dimension)
        assert name in {None, model.model}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({**AZURE, "model": "chat"}, "CHATKIT_EMBEDDING_MODEL"),
        ({**AZURE, "model": "chat", "embedding_model": "m"}, "CHATKIT_EMBEDDING_DIMENSION"),
        ({"openai_base_url": "http://localhost:1/v1", "model": "m"}, "CHATKIT_EMBEDDING_PROVIDER"),
        ({"embedding_base_url": "http://localhost:1", "embedding_provider": "openai"}, "BASE_URL"),
        ({"embedding_provider": "bedrock", "embedding_model": "amazon.nova"}, "not among"),
        ({"embedding_provider": "bedrock", "embedding_dimension": 300}, "1024 or 512 or 256"),
        ({"embedding_provider": "hashing", "embedding_model": "e5"}, "hashing-1"),
    ],
)
def test_a_choice_that_lacks_a_setting_says_which(values, said):
    with pytest.raises(ValueError, match=said):
        chosen_model(given(**values))


@pytest.mark.parametrize(
    "values",
    [
        {"embedding_provider": "cohere"},
        {"embedding_dimension": 0},
        {"embedding_dimension": 4097},
        {"passage_tokens": 10},
        {"embedding_base_url": "localhost:8080"},
    ],
)
def test_a_setting_that_cannot_be_is_refused(values):
    with pytest.raises(ValidationError):
        given(**values)


def test_the_embedder_of_an_index_of_another_version_is_refused():
    with pytest.raises(ValueError, match="hashing-1"):
        embedder_of(EmbeddingModel("hashing", "hashing-0", 512), given())
    with pytest.raises(ValueError, match="OPENAI_API_KEY"):
        embedder_of(EmbeddingModel("openai", "text-embedding-3-small", 1536), given())


class Embeddings:
    """A server of OpenAI's `/embeddings`. A text's vector begins with its length."""

    def __init__(self):
        self.requests, self.headers, self.answers = [], [], []
        self.dimension, self.shuffles = 4, False

    @property
    def app(self):
        return Starlette(
            routes=[Route("/{rest:path}/embeddings", self._embeddings, methods=["POST"])]
        )

    async def _embeddings(self, request):
        body = await request.json()
        self.requests.append(body)
        self.headers.append(request.headers)
        if self.answers:
            status, code = self.answers.pop(0)
            if isinstance(status, Response):
                return status
            error = {"message": "about: a secret passage", "code": code}
            return JSONResponse({"error": error}, status, headers={"retry-after-ms": "1"})
        dimension = body.get("dimensions", self.dimension)
        data = [
            {"object": "embedding", "index": at, "embedding": [float(len(text))] * dimension}
            for at, text in enumerate(body["input"])
        ]
        data = data[::-1] if self.shuffles else data
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return JSONResponse({"object": "list", "model": "m", "data": data, "usage": usage})


@pytest.fixture
def server():
    return Embeddings()


@pytest.fixture
def url(server):
    with served(server.app) as address:
        yield f"{address}/v1"


@pytest.fixture
def embedder(url):
    """One of a compatible server of the tests."""
    settings = given(
        embedding_base_url=url,
        embedding_model="e5",
        embedding_dimension=4,
        embedding_api_key="mine",
        openai_api_key="theirs",
    )
    return embedder_of(chosen_model(settings), settings)


async def test_texts_are_embedded_in_their_order_in_batches(embedder, server):
    server.shuffles = True
    texts = ["x" * number for number in range(1, 71)]
    vectors = await embedder.embed(texts)
    assert [vector[0] for vector in vectors] == list(range(1, 71))
    assert sorted(len(each["input"]) for each in server.requests) == [6, 32, 32]
    assert {each["encoding_format"] for each in server.requests} == {"float"}
    assert not any("dimensions" in each for each in server.requests)
    assert await embedder.embed([]) == []


async def test_a_server_of_ones_own_gets_its_own_key_only(embedder, server):
    await embedder.embed(["a"], query=True)
    assert server.headers[0]["authorization"] == "Bearer mine"


async def test_a_text_is_never_empty_and_never_too_long(embedder, server):
    await embedder.embed(["", " \n", "ä" * 9_000])
    (request,) = server.requests
    assert request["input"] == ["-", "-", "ä" * 4_000]
    assert cut("a😀", 3) == "a"
    assert cut("\ud83d", 3) == "?"


@pytest.mark.parametrize(
    ("status", "times", "error"),
    [
        (429, 3, EmbeddingThrottledError),
        (500, 3, EmbeddingUnavailableError),
        (503, 3, EmbeddingUnavailableError),
        (401, 1, EmbeddingRefusedError),
        (404, 1, EmbeddingRefusedError),
        (400, 1, EmbeddingRefusedError),
    ],
)
async def test_a_provider_that_fails_is_asked_again_and_then_the_error_says_what_kind(
    embedder, server, status, times, error
):
    server.answers = [(status, "some_code")] * times
    with pytest.raises(error, match=rf"e5 of compatible: {status} \(some_code\)") as raised:
        await embedder.embed(["a secret passage"])
    assert len(server.requests) == times
    assert "secret" not in str(raised.value)
    server.answers = [(429, None)] * (times - 1)
    assert await embedder.embed(["abc"]) == [[3.0] * 4]


async def test_nobody_waits_for_long_for_a_question(embedder, server, monkeypatch):
    monkeypatch.setattr(openai_embeddings, "QUERY_TOTAL_SECONDS", 0)
    with pytest.raises(EmbeddingUnavailableError, match="slow"):
        await embedder.embed(["a"], query=True)
    assert await embedder.embed(["a"])


async def test_a_server_that_is_not_there_is_unavailable(monkeypatch):
    monkeypatch.setattr(openai_embeddings, "PASSAGES_RETRIES", 0)
    values = {"embedding_base_url": "http://127.0.0.1:9/v1", "embedding_model": "e5"}
    settings = given(**values, embedding_dimension=4)
    with pytest.raises(EmbeddingUnavailableError, match="APIConnectionError"):
        await embedder_of(chosen_model(settings), settings).embed(["a"])


async def test_vectors_of_another_dimension_are_refused_in_words(embedder, server):
    server.dimension = 5
    with pytest.raises(EmbeddingRefusedError, match="5 numbers, not of 4: set CHATKIT_EMBEDDING"):
        await embedder.embed(["a"])


@pytest.mark.parametrize(
    "answer", [HTMLResponse("<p>Hello"), JSONResponse({}), JSONResponse({"data": [{"index": 0}]})]
)
async def test_an_address_that_answers_with_something_else_is_refused(embedder, server, answer):
    server.answers = [(answer, None)]
    with pytest.raises(EmbeddingRefusedError, match="no embeddings"):
        await embedder.embed(["a"])


async def test_a_model_with_several_dimensions_is_asked_for_the_one_that_is_set(url, server):
    settings = given(
        openai_base_url=url,
        model="chat",
        embedding_model="openai/text-embedding-3-small",
        embedding_dimension=256,
    )
    (vector,) = await embedder_of(chosen_model(settings), settings).embed(["abc"])
    assert (len(vector), server.requests[0]["dimensions"]) == (256, 256)


class Bedrock:
    """`InvokeModel` of Bedrock. A text's vector has its length."""

    def __init__(self):
        self.bodies, self.models, self.errors = [], [], []

    @property
    def app(self):
        return Starlette(routes=[Route("/model/{model}/invoke", self._invoke, methods=["POST"])])

    async def _invoke(self, request):
        body = await request.json()
        self.bodies.append(body)
        self.models.append(request.path_params["model"])
        if self.errors:
            status, code = self.errors.pop(0)
            return JSONResponse({"message": "x"}, status, headers={"x-amzn-errortype": code})
        if "inputText" in body:
            vector = [float(len(body["inputText"]))] * body["dimensions"]
            return JSONResponse({"embedding": vector, "inputTextTokenCount": 1})
        dimension = body.get("output_dimension", 1024)
        vectors = [[float(len(text))] * dimension for text in body["texts"]]
        kind = "embeddings_by_type"
        return JSONResponse({"embeddings": {"float": vectors}, "id": "1", "response_type": kind})


@pytest.fixture
def bedrock():
    own = Bedrock()
    with served(own.app) as address:
        own.client = boto3.client(
            "bedrock-runtime",
            region_name="eu-central-1",
            endpoint_url=address,
            aws_access_key_id="k",
            aws_secret_access_key="s",
            config=Config(retries={"total_max_attempts": 1}),
        )
        yield own


async def embedded(bedrock, model, dimension, texts, **asked):
    description = EmbeddingModel("bedrock", model, dimension)
    vectors = await BedrockEmbedder(description, None, bedrock.client).embed(texts, **asked)
    assert {len(vector) for vector in vectors} == {dimension}
    return [vector[0] for vector in vectors]


async def test_titan_embeds_each_text_in_a_request_of_its_own(bedrock):
    model = "amazon.titan-embed-text-v2:0"
    texts = ["x" * number for number in range(1, 13)]
    assert await embedded(bedrock, model, 512, texts) == list(range(1, 13))
    assert {(each["dimensions"], each["normalize"]) for each in bedrock.bodies} == {(512, True)}
    assert set(bedrock.models) == {model}


@pytest.mark.parametrize(("query", "kind"), [(False, "search_document"), (True, "search_query")])
async def test_cohere_embeds_passages_and_questions_differently(bedrock, query, kind):
    texts = ["x" * (number + 1) for number in range(97)]
    v3 = await embedded(bedrock, "cohere.embed-multilingual-v3", 1024, texts, query=query)
    v4 = await embedded(bedrock, "global.cohere.embed-v4:0", 256, texts, query=query)
    assert v3 == v4 == list(range(1, 98))
    assert Counter(len(each["texts"]) for each in bedrock.bodies) == {96: 2, 1: 2}
    assert {each["input_type"] for each in bedrock.bodies} == {kind}


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, "ThrottlingException", EmbeddingThrottledError),
        (503, "ServiceUnavailableException", EmbeddingUnavailableError),
        (408, "ModelTimeoutException", EmbeddingUnavailableError),
        (403, "AccessDeniedException", EmbeddingRefusedError),
        (404, "ResourceNotFoundException", EmbeddingRefusedError),
    ],
)
async def test_an_error_of_bedrock_says_what_kind_it_is(bedrock, status, code, error):
    bedrock.errors = [(status, code)] * 2
    with pytest.raises(error, match=code):
        await embedded(bedrock, "amazon.titan-embed-text-v2:0", 1024, ["a"])


async def test_bedrock_is_asked_itself_where_everything_else_is_moto(monkeypatch):
    from functions.knowledge import bedrock_embeddings

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    bedrock_embeddings._client.cache_clear()
    client = bedrock_embeddings._client(None)
    bedrock_embeddings._client.cache_clear()
    assert client.meta.endpoint_url.startswith("https://bedrock-runtime.")


def near(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_hashing_puts_texts_near_that_share_words_or_their_parts():
    embedder = embedder_of(HASHING, given())
    question, same, other, empty = await embedder.embed(
        [
            "How do I deploy the café?",
            "Deploying: the CAFE is deployed with one command.",
            "Bananas are yellow when they are ripe.",
            " … ",
        ]
    )
    assert near(question, same) > 2 * abs(near(question, other)) > 0
    for vector in (question, same, other, empty):
        assert len(vector) == 512
        assert math.isclose(near(vector, vector), 1)


async def test_hashing_finds_words_of_languages_without_spaces():
    embedder = embedder_of(HASHING, given())
    question, same, other = await embedder.embed(
        ["部署方法", "关于部署的说明在这里", "香蕉是黄色的水果"]
    )
    assert near(question, same) > near(question, other)


def test_hashing_gives_the_same_vector_in_every_process():
    text = "Grüße, 世界 – 42"
    program = (
        "import asyncio, json; from functions.knowledge.embedder import EmbeddingModel; "
        "from functions.knowledge.hashing import HashingEmbedder; "
        "e = HashingEmbedder(EmbeddingModel('hashing', 'hashing-1', 64)); "
        f"print(json.dumps(asyncio.run(e.embed([{text!r}]))[0]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    description = EmbeddingModel("hashing", "hashing-1", 64)
    (vector,) = asyncio.run(embedder_of(description, given()).embed([text]))
    assert json.loads(ran.stdout) == vector


def test_a_model_is_named_in_words():
    assert str(HASHING) == "hashing-1 of hashing, 512 numbers"
