"""The agent that the starter answers with."""

from functions.assistant import assistant
from functions.toolkit.testing import assistant_under_test, says


async def test_the_agent_has_all_tools_and_the_choice_of_the_visitor():
    picked = assistant.tools[0].name
    documents = {"a.md": "A document."}
    async with assistant_under_test(assistant, [says("Hello")], documents=documents) as chat:
        (sent,) = (await chat.say("Hi", tool=picked)).sent
    assert {tool.name for tool in sent.tools} == {tool.name for tool in assistant.tools}
    assert sent.model_settings.tool_choice == picked


async def test_the_instructions_have_nothing_that_a_link_may_say(chat):
    chat.model = [says("Hello"), says("Olá")]
    (plain,) = (await chat.say("Hi")).sent
    page = {"accept-language": "pt-BR", "x-chatkit-page-title": "Caf%C3%A9"}
    (sent,) = (await chat.as_user("bob", headers=page).say("Oi")).sent
    assert "Café" in str(sent.input)
    assert sent.system_instructions == plain.system_instructions


async def test_the_first_words_are_the_title_when_the_model_fails():
    async with assistant_under_test(assistant, [says("Gladly")], title=ConnectionError()) as chat:
        assert (await chat.say("Plan  a\ntrip")).title == "Plan a trip"
