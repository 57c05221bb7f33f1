"""A real model's run is recorded once and replayed without it; a conversation is compared."""

import pytest

from functions.settings import forget_settings
from functions.toolkit.testing import (
    assistant_under_test,
    calls,
    check_conversation,
    recorded,
    says,
)
from functions.toolkit.testing.recording import NoRecordingError
from tests.assistants.sample import assistant
from tests.support.openai_server import Call, OpenAIServer, Say
from tests.support.served import served


@pytest.fixture
def real_model(monkeypatch):
    """A model that the environment configures."""
    model = OpenAIServer(Call("add", {"a": 2, "b": 3}), Say("It is 5."))
    with served(model.app) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")
        monkeypatch.setenv("CHATKIT_MODEL", "test")
        forget_settings()
        yield model
    forget_settings()


@pytest.mark.parametrize("api", ["responses", "chat_completions"])
async def test_a_run_is_recorded_once_and_replayed_without_the_model(
    tmp_path, monkeypatch, real_model, api
):
    monkeypatch.setenv("CHATKIT_MODEL_API", api)
    file = tmp_path / "runs" / "sum.json"
    for recording in (True, False):
        if recording:
            monkeypatch.setenv("CHATKIT_RECORD", "1")
        else:
            monkeypatch.delenv("CHATKIT_RECORD")
        async with assistant_under_test(assistant, recorded(file)) as chat:
            said = await chat.say("2 + 3?")
        assert (said.call.result, said.text, said.title) == ('"5"', "It is 5.", "A fine title")
        assert len(real_model.requests) == 2


async def test_a_recording_of_another_conversation_says_what_differs(
    tmp_path, monkeypatch, real_model
):
    file = tmp_path / "sum.json"
    monkeypatch.setenv("CHATKIT_RECORD", "1")
    async with assistant_under_test(assistant, recorded(file)) as chat:
        await chat.say("2 + 3?")
    monkeypatch.delenv("CHATKIT_RECORD")
    with pytest.raises(NoRecordingError, match=r"'2 \+ 3\?', and the model was asked '4 \+ 5"):
        async with assistant_under_test(assistant, recorded(file)) as chat:
            await chat.say("4 + 5?")
    with pytest.raises(NoRecordingError, match="CHATKIT_RECORD=1"):
        recorded(tmp_path / "nothing.json")


@pytest.fixture
async def chat():
    async with assistant_under_test(assistant, []) as chat:
        yield chat


@pytest.fixture
def milk(chat):
    chat.model = [calls("show_items", add=["milk"]), says("There.")]


async def test_a_conversation_is_written_with_one_flag_and_then_compared(
    tmp_path, monkeypatch, chat, milk
):
    file = tmp_path / "list.md"
    file.write_text("# A list\n\n## User\n\nThe list, please\n\n## Press `item.toggle`\n")
    monkeypatch.setenv("CHATKIT_UPDATE", "1")
    await check_conversation(chat, file)
    monkeypatch.delenv("CHATKIT_UPDATE")
    written = file.read_text()
    headings = [line for line in written.splitlines() if line.startswith("#")]
    assert headings == [
        "# A list",
        "## User",
        "## Tool `show_items`",
        "## Card",
        "## Assistant",
        "## Press `item.toggle`",
        "## Card",
    ]
    assert '{"add": ["milk"]}' in written
    bob = chat.as_user("bob")
    chat.model = [calls("show_items", add=["milk"]), says("There.")]
    await check_conversation(bob, file)


async def test_a_heading_in_a_message_is_no_section(tmp_path, chat):
    file = tmp_path / "heading.md"
    file.write_text("## User\n\n\\## User\n\nIs this one?\n\n## Assistant\n\n\\## Retry\n\nNo.\n")
    chat.model = [says("## Retry\n\nNo.")]
    await check_conversation(chat, file)
    assert "## User" in (await chat.items())[0].content[0].text


@pytest.mark.parametrize("text", ["", "# A list\n", "## user\n\nThe list, please\n"])
async def test_a_file_in_which_the_user_does_nothing_is_refused(tmp_path, monkeypatch, chat, text):
    file = tmp_path / "list.md"
    file.write_text(text)
    for update in (False, True):
        if update:
            monkeypatch.setenv("CHATKIT_UPDATE", "1")
        with pytest.raises(AssertionError, match="## User"):
            await check_conversation(chat, file)
    assert file.read_text() == text


async def test_another_conversation_is_told_as_a_difference(tmp_path, chat, milk):
    file = tmp_path / "list.md"
    file.write_text("## User\n\nThe list, please\n\n## Assistant\n\nHere.\n")
    with pytest.raises(AssertionError) as raised:
        await check_conversation(chat, file, mask={"milk": "<food>"})
    told = str(raised.value)
    assert "-Here.\n" in told
    assert "+There.\n" in told
    assert '+{"add": ["<food>"]}' in told
    assert "CHATKIT_UPDATE=1" in told
