"""A refused request is one line in the log that names provider, model and reason, and no words."""

import json
import logging

import openai
import pytest
from agents import Agent, ModelBehaviorError, RunConfig, Runner
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from functions.llm import build, choose
from functions.llm.demo_script import DemoScript
from functions.llm.refusal_log import LogRefusals
from functions.settings import Settings
from tests.support.served import served

WORDS = "the secret of the visitor"


def refusal(status, code):
    body = {"error": {"message": WORDS, "code": code}}
    return JSONResponse(body, status, {"x-request-id": "req_1"})


def events(*data):
    lines = "".join(f"data: {json.dumps(each)}\n\n" for each in data)
    return Response(lines, media_type="text/event-stream")


def cut():
    async def body():
        yield b'data: {"id": "c", "object": "chat.completion.chunk", "created": 0, '
        raise ConnectionError("as scripted")

    return StreamingResponse(body(), media_type="text/event-stream")


async def lines_after(answer, caplog, api):
    async def answers(_):
        return answer()

    caplog.set_level(logging.INFO)
    routes = [
        Route("/v1/chat/completions", answers, methods=["POST"]),
        Route("/v1/responses", answers, methods=["POST"]),
    ]
    with served(Starlette(routes=routes)) as url:
        settings = Settings(_env_file=None, openai_base_url=f"{url}/v1", model="m", model_api=api)
        choice = choose(settings)
        model = LogRefusals(build(choice, "m", "key", DemoScript()), choice.provider, "m")
        result = Runner.run_streamed(
            Agent(name="a", model=model), WORDS, run_config=RunConfig(tracing_disabled=True)
        )
        with pytest.raises((openai.APIError, ModelBehaviorError)):
            [event async for event in result.stream_events()]
    assert WORDS not in caplog.text
    return [record.getMessage() for record in caplog.records if "provider" in record.getMessage()]


def line(status, code, request_id):
    return (
        "the model's provider refused a request: provider=compatible model=m "
        f"status={status} code={code} request_id={request_id}"
    )


@pytest.mark.parametrize("api", ["chat_completions", "responses"])
@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "invalid_api_key"), (404, "model_not_found"), (429, "rate_limit"), (500, None)],
)
async def test_a_refusal_is_one_line(caplog, api, status, code):
    found = await lines_after(lambda: refusal(status, code), caplog, api)
    assert found == [line(status, code or "-", "req_1")]


async def test_a_code_that_is_a_sentence_is_not_logged(caplog):
    found = await lines_after(lambda: refusal(400, WORDS), caplog, "responses")
    assert found == [line(400, "-", "req_1")]


async def test_an_error_in_the_stream_is_one_line(caplog):
    error = {"error": {"message": WORDS, "code": "overloaded"}}
    found = await lines_after(lambda: events(error), caplog, "chat_completions")
    assert found == [line("APIError", "overloaded", "-")]


async def test_an_answer_that_is_cut_is_one_line(caplog):
    found = await lines_after(cut, caplog, "chat_completions")
    assert found == [line("APIConnectionError", "-", "-")]


async def test_an_event_that_says_that_the_answer_failed_is_one_line(caplog):
    response = {
        "id": "resp_1", "object": "response", "created_at": 0, "model": "m", "status": "failed",
        "output": [], "parallel_tool_calls": False, "tool_choice": "auto", "tools": [],
        "error": {"code": "server_error", "message": WORDS},
    }  # fmt: skip
    failed = {"type": "response.failed", "sequence_number": 0, "response": response}
    found = await lines_after(lambda: events(failed), caplog, "responses")
    assert found == [line("failed", "server_error", "resp_1")]
