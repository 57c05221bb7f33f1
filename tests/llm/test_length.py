"""A model's input is shortened to a number of tokens."""

import pytest

from functions.llm.length import shorten, tokens


def said(role, text):
    return {"type": "message", "role": role, "content": text}


def parts(*texts):
    return [{"type": "input_text", "text": text} for text in texts]


def test_the_newest_turns_stay_and_the_one_at_the_limit_is_cut_in_its_middle():
    old = said("user", "o" * 4000)
    paste = said("user", parts("start" + "x" * 40_000 + "end"))
    newest = [said("assistant", "Yes?"), said("user", "What was that?")]
    kept = shorten([old, paste, *newest], 1000)
    assert kept[1:] == newest
    text = kept[0]["content"][0]["text"]
    assert text.startswith("start")
    assert text.endswith("end")
    assert "characters are left out here" in text
    assert tokens(kept) < 1050


def test_the_newest_message_is_cut_and_never_left_out():
    kept = shorten([said("user", "a"), said("user", "x" * 9000)], 10)
    assert len(kept) == 1
    assert kept[0]["content"].startswith("xxx")


def test_a_little_rest_of_the_limit_is_not_filled():
    newest = said("user", "x" * 4000)
    assert shorten([said("user", "y" * 4000), newest], 1010) == [newest]


def test_the_long_texts_of_a_turn_are_cut_and_the_short_ones_and_the_calls_are_not():
    question, call = said("user", "How many?"), {"type": "function_call", "arguments": '{"a": 1}'}
    output = {"type": "function_call_output", "output": "x" * 90_000}
    kept = shorten([question, call, output], 500)
    assert kept[:2] == [question, call]
    assert len(kept[2]["output"]) < 2100


@pytest.mark.parametrize("text", ["word " * 1000, "文字" * 1000, "😀" * 1000])
def test_a_cut_text_has_about_the_length_that_it_may_have(text):
    assert 100 <= tokens(shorten([said("user", text)], 100)) <= 120


def test_images_are_kept_and_not_counted():
    image = {"type": "input_image", "image_url": "data:" + "A" * 100_000}
    given = [said("user", [*parts("hi"), image])]
    assert shorten(given, 100) == given


def test_what_tools_returned_is_cut_before_anything_that_was_said():
    def turn(number):
        output = {"type": "function_call_output", "output": f"{number}" * 4000}
        return [said("user", f"question {number} " * 100), output, said("assistant", "Found.")]

    turns = [turn(number) for number in range(1, 5)]
    kept = shorten([item for each in turns for item in each], 4000)
    assert len(kept) == 12
    assert kept[0::3] == [each[0] for each in turns]
    assert [len(item["output"]) < 400 for item in kept[1::3]] == [True, True, False, False]
    assert tokens(kept) <= 4000


def test_old_reasoning_is_left_out_where_outputs_are_cut():
    thought = {"type": "reasoning", "summary": [], "encrypted_content": "x" * 4000}
    older = [said("user", "1"), thought, {"type": "function_call_output", "output": "y" * 4000}]
    assert thought not in shorten([*older, said("user", "2")], 1500)
    assert shorten([*older, said("user", "2")], 2100)[1] == thought
