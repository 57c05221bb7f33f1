"""A newsroom, as in one of OpenAI's advanced samples: another agent by choice, entities that a
converter of its own tells, a request header, hooks, and an event after the answer.
"""

from chatkit.types import ClientEffectEvent, StreamOptions
from openai.types.responses import ResponseInputTextParam

from functions.toolkit import Assistant, Entity, entity_source, tool
from functions.toolkit.converter import Converter

ARTICLES = {"article_1": "The lighthouse is lit again."}


@entity_source
async def articles(documents):
    return [
        Entity(id=name, title=text[:14], group="Articles", data={"type": "article"})
        for name, text in ARTICLES.items()
    ]


@tool(ends_turn=True)
async def ask_page(turn) -> str:
    """Asks the page for its edition."""
    turn.call_client_tool("edition", {})
    return "asked"


class WithArticles(Converter):
    async def tag_to_message_content(self, tag):
        text = f"<ARTICLE>{ARTICLES[tag.id]}</ARTICLE>"
        return ResponseInputTextParam(type="input_text", text=text)


class News(Assistant):
    headers = ("X-Edition",)

    def choices(self, context):
        return ["puzzles", *(["obituaries"] if "editor" in context.roles else [])]

    def agent_for(self, turn):
        from agents import Agent, ModelSettings

        edition = turn.request_context.headers.get("X-Edition", "city")
        if turn.tool_choice == "puzzles":
            return Agent(name="Puzzles", instructions="You make puzzles.", model="small")
        writer = Agent(name="Writer", instructions="You write it up.", model="small")
        return Agent(
            name="Newsroom",
            instructions=f"You tell the news of the {edition} edition.",
            handoffs=[writer],
            tools=[ask_page.function_tool],
            tool_use_behavior=self.tool_use_behavior(),
            model_settings=ModelSettings(temperature=0.5),
        )

    def converter(self, turn):
        return WithArticles(turn.files, turn.request_context)

    def run_config(self, turn):
        from agents import ModelSettings, RunConfig
        from agents.run import ModelInputData

        def cheered(data):
            own = f"{data.model_data.instructions} Be cheerful."
            return ModelInputData(data.model_data.input, own)

        return RunConfig(model_settings=ModelSettings(top_p=0.9), call_model_input_filter=cheered)

    def hooks(self, turn):
        from agents import RunHooks

        class Steps(RunHooks):
            async def on_handoff(self, context, from_agent, to_agent):
                await turn.progress(f"{from_agent.name} asks {to_agent.name}")

        return Steps()

    def stream_options(self, turn):
        return StreamOptions(allow_cancel=False)

    async def after(self, turn):
        yield ClientEffectEvent(name="answered", data={"by": turn.tool_choice or "newsroom"})
        if turn.first_words == "Spoil it":
            raise ConnectionError("the archive is closed")


assistant = News([__name__])
