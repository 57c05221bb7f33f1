"""A model's input begins with the user, and its roles take turns."""

from agents.models.chatcmpl_converter import Converter

from functions.llm.model_input import NO_ANSWER, in_turns


def said(role, text):
    return {"type": "message", "role": role, "content": text}


def parts(*texts):
    return [{"type": "input_text", "text": text} for text in texts]


CALL = {"type": "function_call", "call_id": "c", "name": "add", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "3"}


def test_what_comes_before_the_first_message_of_the_user_is_left_out():
    given = [said("assistant", "a"), CALL, OUTPUT, said("user", "b"), said("assistant", "c")]
    assert in_turns(given) == given[3:]


def test_neighbours_of_one_role_are_merged():
    given = [said("user", parts("a")), said("user", "b"), said("assistant", "c")]
    given.append(said("assistant", "d"))
    assert in_turns(given) == [said("user", parts("a", "b")), said("assistant", "c\n\nd")]


def test_an_answer_with_parts_keeps_its_fields_and_takes_the_text_before_it():
    part = {"type": "output_text", "text": "b", "annotations": []}
    answer = {**said("assistant", [part]), "id": "msg_1", "status": "completed"}
    merged = {**answer, "content": [{**part, "text": "a"}, part]}
    given = [said("user", "x"), said("assistant", "a"), answer]
    assert in_turns(given) == [given[0], merged]
    assert Converter.items_to_messages(in_turns(given))


def test_calls_and_their_outputs_stay_as_they_are():
    given = [said("user", "a"), CALL, OUTPUT, CALL, OUTPUT, said("assistant", "b")]
    assert in_turns(given) == given
    assert in_turns([CALL, OUTPUT]) == [CALL, OUTPUT]


def test_an_answer_stands_between_what_a_tool_returned_and_the_next_message():
    """Mistral refuses "role user after role tool", so after a run that was stopped."""
    before = [said("user", "a"), CALL, OUTPUT]
    made = in_turns([*before, said("user", "b")])
    assert made == [*before, said("assistant", NO_ANSWER), said("user", "b")]
