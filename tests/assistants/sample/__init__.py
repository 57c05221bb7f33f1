"""A small assistant with one feature of each kind, for the tests of the engine."""

from functions.toolkit import Assistant, DemoRule, DemoScript, modules_in, short_title

from . import features

PAIR = r"(?P<a>\d+)\s*{}\s*(?P<b>\d+)"
MEMO = "This memo is written word by word, so that it can be seen to grow to its end."

SCRIPT = DemoScript(
    greeting=f"Hello! {DemoScript().introduction}",
    story="It begins here. " + "A stream runs over stones and tells of it. " * 25 + "It ends here.",
    rules=(
        DemoRule("show_items", r"\blist\b", lambda _: {"add": []}, default={"add": []}),
        DemoRule("ask_vote", r"\bvote\b", lambda _: {"question": "Where to?"}),
        DemoRule("write_memo", r"\bmemo\b", lambda _: {"text": MEMO}),
        DemoRule("add", PAIR.format(r"\+"), lambda found: found.groupdict()),
        DemoRule("multiply", PAIR.format(r"\*"), lambda found: found.groupdict()),
        DemoRule("look_around", r"\blook around\b"),
        DemoRule("show_looks", r"\blooks\b"),
        DemoRule("show_form", r"\bform\b"),
        DemoRule("switch_theme", r"\bdark\b", lambda _: {"theme": "dark"}),
        DemoRule("ask_visitor", r"\bask me\b"),
        DemoRule("break_down", r"\bbreak down\b"),
    ),
)


class Sample(Assistant):
    def agent_for(self, turn):
        from agents import Agent, ModelSettings

        return Agent(
            name="Sample",
            instructions="A sample.",
            tools=[tool.function_tool for tool in self.tools_for(turn)],
            tool_use_behavior=self.tool_use_behavior(),
            model_settings=ModelSettings(tool_choice=turn.tool_choice),
        )

    async def title(self, turn):
        from agents import Agent, RunConfig, Runner

        agent = Agent(name="Title", instructions="Write a title.", model=turn.model)
        message = turn.first_words
        try:
            result = await Runner.run(
                agent, message[:2000], max_turns=1, run_config=RunConfig(tracing_disabled=True)
            )
        except Exception:  # noqa: BLE001 - a title must not fail
            return short_title(message)
        return short_title(str(result.final_output) or message)

    def demo(self):
        return SCRIPT


assistant = Sample(modules_in(features))
