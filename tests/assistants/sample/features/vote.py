"""A question with options on a card; the assistant goes on when one is picked."""

from pathlib import Path

from pydantic import BaseModel

from functions.toolkit import ActionError, Document, Handover, Turn, Widget, action, tool

CARD = Widget(Path(__file__).parents[1] / "widgets" / "vote.widget")


class Vote(BaseModel):
    question: str
    options: list[str] = ["Rome", "Oslo"]
    chosen: str | None = None


VOTE = Document[Vote | None]("vote", Vote | None, empty=lambda: None)


def card(vote):
    return CARD.build(**vote.model_dump())


@tool(ends_turn=True)
async def ask_vote(turn: Turn, question: str) -> str:
    """Asks the visitor to vote.

    Args:
        question: What it is about.
    """
    vote = Vote(question=question)
    await turn.documents.change(VOTE, lambda _: vote)
    await turn.stream_widget(card(vote))
    return "The vote is on the page."


class Cast(BaseModel):
    option: str


@action("vote.cast", payload=Cast, streams_answer=True)
async def cast(run, payload):
    def choose(vote):
        if vote is None or payload.option not in vote.options:
            raise ActionError(404, "That option is not on the list.")
        if vote.chosen not in {None, payload.option}:
            raise ActionError(409, "Another option was already chosen.")
        return vote.model_copy(update={"chosen": payload.option})

    await run.documents.change(VOTE, choose)

    async def redraw(_):
        return card(await run.documents.read(VOTE))

    return Handover(f"The person chose {payload.option!r}.", redraw)
