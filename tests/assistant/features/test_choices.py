"""Choices."""

import asyncio

import pytest

from functions.assistant.features.choices import (
    CHOICES,
    MAX_CHOICES,
    Choice,
    Option,
    card,
    find,
    pick,
)
from functions.toolkit import ActionError
from functions.toolkit.testing import buttons, says
from tests.support.widgets import HOSTILE, texts, unknown_to_chatkit

PICK = "choice.pick"


@pytest.fixture
async def offered(use):
    return await use("offer_choices", question="Where to?", options=["Rome", "Oslo"])


async def test_the_assistant_gets_the_pick_and_the_card_loses_its_buttons(chat, offered):
    rome, _ = buttons(offered.widget, PICK)
    chat.model = [says("Rome it is.")]
    picked = await chat.press(offered, PICK, rome)
    assert "'Rome'" in str(picked.sent[0].input[-1])
    assert not buttons(picked.widget)


async def test_only_the_first_pick_counts_and_it_may_be_repeated(chat, offered):
    (choice,) = await chat.read(CHOICES)
    ids = [option.id for option in choice.options]
    done = await asyncio.gather(
        *(pick(chat.documents, choice.id, option) for option in ids), return_exceptions=True
    )
    (raised,) = [outcome for outcome in done if isinstance(outcome, ActionError)]
    assert raised.status == 409
    chosen = find(await chat.read(CHOICES), choice.id).chosen
    assert (await pick(chat.documents, choice.id, chosen)).chosen == chosen


async def test_an_unknown_option_cannot_be_picked(chat, offered):
    rome, _ = buttons(offered.widget, PICK)
    for unknown, told in (
        ({"option": "0" * 12}, "That option is not on the list."),
        ({"choice": "0" * 12}, "That list is not there any more."),
    ):
        assert (await chat.press(offered, PICK, {**rome, **unknown})).error == told


async def test_only_the_newest_choices_are_stored_and_they_fit_into_a_row(chat, use):
    long = Choice(question="🎈" * 200, options=[Option(title="🎈" * 80) for _ in range(8)])
    await chat.documents.change(CHOICES, lambda _: [long] * MAX_CHOICES)
    await use("offer_choices", question="🎈" * 300, options=["🎈" * 100] * 9)
    stored = await chat.read(CHOICES)
    assert len(stored) == MAX_CHOICES
    assert stored[-1].id != long.id


def test_the_card_has_only_components_that_chatkit_knows():
    widget = card(Choice(question=HOSTILE, options=[Option(title=HOSTILE, description=HOSTILE)]))
    assert not unknown_to_chatkit(widget)
    assert HOSTILE in texts(widget)
