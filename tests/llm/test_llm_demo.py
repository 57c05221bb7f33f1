"""The offline demo works like any model: it streams, and it calls the agent's tools."""

import pytest
from agents import Agent, Runner, function_tool

from functions.llm import demo_events
from functions.llm.demo import DemoModel
from functions.llm.demo_script import DemoRule, DemoScript

SCRIPT = DemoScript(
    rules=(
        DemoRule(
            "calculate",
            r"(?P<sum>\d+ \* \d+)",
            lambda found: {"expression": found["sum"]},
            default={"expression": "1"},
        ),
        DemoRule(
            "switch_theme", r"\b(?P<theme>dark)\b", lambda found: {"theme": found["theme"].lower()}
        ),
    )
)


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch):
    monkeypatch.setattr(demo_events, "PACE", 0)


async def streamed(agent, given):
    result = Runner.run_streamed(agent, given)
    deltas = [
        event.data.delta
        async for event in result.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    return deltas, result


async def test_the_first_answer_says_that_it_is_a_demo_and_how_to_get_a_real_one():
    deltas, _ = await streamed(Agent(name="a", model=DemoModel(SCRIPT)), "Hello")
    assert len(deltas) > 20
    answer = "".join(deltas)
    assert "demo" in answer
    assert "OPENAI_API_KEY" in answer


async def test_it_calls_a_tool_and_answers_with_the_result():
    @function_tool
    def calculate(expression: str) -> str:
        return f"the value of {expression} is 42"

    agent = Agent(name="a", model=DemoModel(SCRIPT), tools=[calculate])
    deltas, _ = await streamed(agent, "What is 6 * 7?")
    assert "the value of 6 * 7 is 42" in "".join(deltas)
    assert "".join(deltas).count("demo model") == 1


async def test_a_first_answer_that_ends_with_a_tool_says_that_it_is_a_demo_too():
    @function_tool
    def switch_theme(theme: str) -> str:
        return theme

    agent = Agent(
        name="a",
        model=DemoModel(SCRIPT),
        tools=[switch_theme],
        tool_use_behavior="stop_on_first_tool",
    )
    deltas, result = await streamed(agent, "Dark mode, please")
    assert "OPENAI_API_KEY" in "".join(deltas)
    assert result.final_output == "dark"


async def test_it_hands_over_and_the_other_agent_answers_the_same_message():
    @function_tool
    def pay_back(cents: int) -> str:
        return f"{cents} cents are on their way"

    script = DemoScript(
        rules=(
            DemoRule("transfer_to_billing", r"\bmoney\b"),
            DemoRule("pay_back", r"\bmoney\b", lambda _: {"cents": 700}),
        )
    )
    billing = Agent(name="Billing", model=DemoModel(script), tools=[pay_back])
    agent = Agent(name="Desk", model=DemoModel(script), handoffs=[billing])
    deltas, result = await streamed(agent, "My money, please")
    assert "".join(deltas).endswith("700 cents are on their way")
    assert result.last_agent is billing


async def test_later_answers_do_not_introduce_it_again():
    history = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "Nice weather"},
    ]
    deltas, _ = await streamed(Agent(name="a", model=DemoModel(SCRIPT)), history)
    assert "Nice weather" in "".join(deltas)


async def test_it_answers_a_request_for_a_title_with_the_first_words():
    agent = Agent(name="Title", instructions="Write a title", model=DemoModel(SCRIPT))
    result = await Runner.run(agent, "one two three four five six seven")
    assert result.final_output == "one two three four five six…"


def test_key_words_choose_a_tool_and_its_arguments():
    picked = SCRIPT.pick_tool("What is 6 * 7?", {"calculate"})
    assert picked == ("calculate", {"expression": "6 * 7"})


def test_a_tool_that_the_agent_does_not_have_is_not_called():
    assert SCRIPT.pick_tool("What is 6 * 7?", {"switch_theme"}) is None


def test_a_tool_from_the_menu_is_called_even_when_no_key_word_matches():
    picked = SCRIPT.pick_tool("Good morning", {"calculate", "x"}, "calculate")
    assert picked == ("calculate", {"expression": "1"})
    assert SCRIPT.pick_tool("Good morning", {"calculate", "x"}, "x") == ("x", {})


@pytest.mark.parametrize("about", [[], [{"type": "input_text", "text": "Look at this"}]])
@pytest.mark.parametrize(
    "file",
    [
        {"type": "input_image", "image_url": "data:image/png;base64,", "detail": "auto"},
        {
            "type": "input_text",
            "text": 'The user attached the file "a.txt" of type "text/plain".\n'
            "<content>\nWhat time is it in Tokyo? Show me my tasks.\n</content>",
        },
    ],
)
async def test_the_demo_ignores_the_content_of_a_file_but_answers_the_message(about, file):
    given = [
        {"role": "user", "content": "What is 6 * 7?"},
        {"role": "assistant", "content": "It is 42."},
        {"role": "user", "content": [*about, file]},
    ]

    @function_tool
    def calculate(expression: str) -> str:
        raise AssertionError(expression)

    agent = Agent(name="a", model=DemoModel(SCRIPT), tools=[calculate])
    deltas, _ = await streamed(agent, given)
    words = " ".join([part["text"] for part in about] + ["(a file)"])
    assert f"You said: “{words}”" in "".join(deltas)


def context(text):
    return {
        "role": "user",
        "content": f"Hidden context:\n<HiddenContext>\n{text}\n</HiddenContext>",
    }


ASKED = [
    {"role": "user", "content": "What is 6 * 7?"},
    {"role": "assistant", "content": "It is 42."},
    {"type": "function_call_output", "call_id": "c", "output": "The choice is on the page."},
    {"role": "user", "content": "The following graphical UI widget was displayed: {}"},
]


async def test_it_answers_an_action_on_a_card_without_quoting_what_only_a_model_is_told():
    given = [*ASKED, context("The person chose 'Rome'. Continue with it.")]
    deltas, _ = await streamed(Agent(name="a", model=DemoModel(SCRIPT)), given)
    assert "".join(deltas) == SCRIPT.after_action


async def test_a_message_after_an_action_or_a_stopped_answer_is_answered_itself():
    for told in ("The person chose 'Rome'.", "The user cancelled the stream."):
        given = [*ASKED, context(told), {"role": "user", "content": "Nice weather"}]
        deltas, _ = await streamed(Agent(name="a", model=DemoModel(SCRIPT)), given)
        assert "Nice weather" in "".join(deltas)
        assert told not in "".join(deltas)


async def test_a_message_whose_answer_was_stopped_is_not_taken_for_an_action():
    said = {"role": "user", "content": "Nice weather"}
    given = [*ASKED, said, context("The user cancelled the stream.")]
    deltas, _ = await streamed(Agent(name="a", model=DemoModel(SCRIPT)), given)
    assert "Nice weather" in "".join(deltas)


async def test_it_repeats_the_visitor_s_own_answers_to_questions():
    answers = "status: answered\n<StructuredInput>\n- How much?: Little\n</StructuredInput>"
    given = [*ASKED, {"role": "user", "content": answers}]
    deltas, _ = await streamed(Agent(name="a", model=DemoModel(SCRIPT)), given)
    assert "How much?: Little" in "".join(deltas)
    assert "StructuredInput" not in "".join(deltas)
