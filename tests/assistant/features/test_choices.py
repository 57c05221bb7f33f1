"""Choices."""

import asyncio
import json

import pytest

from functions.assistant.features.choices import (
    CHOICES,
    MAX_CHOICES,
    Choice,
    Option,
    card,
    find,
    offer_choices,
    pick,
    pick_option,
)
from functions.toolkit import ActionError
from tests.support.widgets import HOSTILE, pressable, texts, unknown_to_chatkit


@pytest.fixture
async def choice(turn, documents):
    await offer_choices.function(turn, "Where to?", ["Rome", "Oslo"])
    (offered,) = await documents.read(CHOICES)
    return offered


async def test_the_assistant_waits_after_it_has_offered_a_choice(turn, choice):
    assert offer_choices.ends_turn
    assert len(pressable(turn.widgets[0])) == 2


async def test_the_assistant_gets_the_pick_and_the_card_loses_its_buttons(press, choice):
    picked, item = await press(
        pick_option, card(choice), choice=choice.id, option=choice.options[0].id
    )
    assert "'Rome'" in picked.context
    assert not pressable(await picked.redraw(item))


async def test_only_the_first_pick_counts_and_it_may_be_repeated(documents, choice):
    ids = [option.id for option in choice.options]
    done = await asyncio.gather(
        *(pick(documents, choice.id, option) for option in ids), return_exceptions=True
    )
    (raised,) = [outcome for outcome in done if isinstance(outcome, ActionError)]
    assert raised.status == 409
    chosen = find(await documents.read(CHOICES), choice.id).chosen
    assert (await pick(documents, choice.id, chosen)).chosen == chosen


async def test_an_unknown_option_cannot_be_picked(documents, choice):
    for asked in ((choice.id, "0" * 12), ("0" * 12, choice.options[0].id)):
        with pytest.raises(ActionError) as raised:
            await pick(documents, *asked)
        assert raised.value.status == 404


async def test_only_the_newest_choices_are_stored_and_they_fit_into_a_row(turn, documents, records):
    for _ in range(MAX_CHOICES + 1):
        await offer_choices.function(turn, "🎈" * 200, ["🎈" * 80] * 8)
    assert len(await documents.read(CHOICES)) == MAX_CHOICES
    assert len(json.dumps(records.stored["choices"][0], ensure_ascii=False).encode()) < 350_000


def test_the_card_has_only_components_that_chatkit_knows():
    widget = card(Choice(question=HOSTILE, options=[Option(title=HOSTILE, description=HOSTILE)]))
    assert not unknown_to_chatkit(widget)
    assert HOSTILE in texts(widget)
