"""What is kept of a run's tools has whole pairs alone, and is bounded."""

import json

import pytest
from agents import Agent
from agents.items import MessageOutputItem, ReasoningItem, ToolCallItem, ToolCallOutputItem
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseReasoningItem,
)

from functions.chat.tool_memory import OUTPUT_TOKENS, RUN_TOKENS, calls_of
from functions.llm.length import tokens

AGENT = Agent(name="A")


def call(call_id, arguments="{}"):
    raw = ResponseFunctionToolCall(
        id=f"fc_{call_id}", call_id=call_id, name="find", arguments=arguments, type="function_call"
    )
    return ToolCallItem(AGENT, raw)


def output(call_id, value="found"):
    raw = {"type": "function_call_output", "call_id": call_id, "output": value}
    return ToolCallOutputItem(AGENT, raw, output=value)


def thought(encrypted="secret"):
    raw = ResponseReasoningItem(
        id="rs_1", summary=[], type="reasoning", encrypted_content=encrypted
    )
    return ReasoningItem(AGENT, raw)


def said():
    raw = ResponseOutputMessage(
        id="msg_1", content=[], role="assistant", status="completed", type="message"
    )
    return MessageOutputItem(AGENT, raw)


def kinds(calls):
    return [each.get("call_id", each["type"]) for each in calls]


@pytest.mark.parametrize(
    ("run", "kept"),
    [
        ([call("a"), output("a"), said()], ["a", "a"]),
        ([call("a"), call("b"), output("b")], ["b", "b"]),
        ([output("a")], []),
        ([thought(), call("a"), output("a"), thought(), said()], ["reasoning", "a", "a"]),
        ([thought(), call("a")], []),
        ([thought(None), call("a"), output("a")], ["a", "a"]),
        ([thought(), said(), call("a"), output("a")], ["a", "a"]),
        ([call("page"), output("page"), call("a"), output("a")], ["a", "a"]),
    ],
    ids=[
        "a pair",
        "a call without an output",
        "an output without a call",
        "reasoning of a call and of an answer",
        "reasoning of half a pair",
        "reasoning that only its provider has",
        "reasoning of a message",
        "a call that is kept elsewhere",
    ],
)
def test_whole_pairs_are_kept_with_the_reasoning_before_them(run, kept):
    assert kinds(calls_of(run, without={"page"})) == kept


def test_reasoning_is_kept_only_where_an_answer_goes_on():
    assert kinds(calls_of([thought(), call("a"), output("a")], without=())) == ["a", "a"]


def test_the_middle_of_a_long_output_and_long_arguments_are_left_out():
    long = "start" + "x" * 100_000 + "end"
    first, second = calls_of([call("a", json.dumps(long)), output("a", long)], without=())
    assert json.loads(first["arguments"]) == {"left_out": "100,010 characters"}
    assert second["output"].startswith("start")
    assert second["output"].endswith("end")
    assert tokens([second]) < OUTPUT_TOKENS * 1.1


def test_an_image_that_a_tool_returned_is_named_and_not_kept():
    parts = [{"type": "input_text", "text": "A plot"}, {"type": "input_image", "image_url": "data"}]
    _, kept = calls_of([call("a"), output("a", parts)], without=())
    assert kept["output"] == "A plot\n[input_image]"


def test_half_a_character_in_an_output_is_replaced():
    _, kept = calls_of([call("a"), output("a", "x\ud83d")], without=())
    assert kept["output"] == "x\ufffd"


def test_a_run_with_many_calls_keeps_the_newest_outputs_whole():
    run = [each for n in range(300) for each in (call(f"{n}"), output(f"{n}", "x" * 4000))]
    kept = calls_of(run, without=())
    assert tokens(kept) <= RUN_TOKENS
    assert [each["output"] for each in kept[-7::2]] == ["x" * 4000] * 4
    assert "left out" in kept[1]["output"]
    assert kinds(kept)[::2] == kinds(kept)[1::2]
