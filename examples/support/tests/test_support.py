"""What the support desk does, on scripted models and by its demo."""

import json

import pytest
from chatkit.types import WidgetItem

from functions.toolkit.testing import Refused, assistant_under_test, buttons, calls, says

ASSISTANT = "examples.support"
FIND = calls("find_order", number="a-1042", email="Ada@example.com")
KETTLE = {"sku": "KETTLE-1", "reason": "changed", "details": "It is too small."}


def words(card: WidgetItem) -> str:
    return json.dumps(card.widget.model_dump(mode="json"), ensure_ascii=False)


async def with_return(chat):
    """A conversation in which the return of the kettle is registered."""
    chat.model = [FIND, says("Here it is."), calls("show_return_form"), says("Please.")]
    await chat.say("Where is A-1042?")
    form = (await chat.say("It goes back.")).widget
    return await chat.press(form, "return.send", KETTLE)


async def test_an_order_is_found_by_its_number_and_address_and_the_conversation_stays_about_it():
    async with assistant_under_test(ASSISTANT, [FIND, says("It is there.")]) as chat:
        said = await chat.say("Where is A-1042? I am ada@example.com.")
        assert "Kettle" in words(said.widget)
        assert said.title == "Order A-1042"
        assert (await chat.thread_data.read()).order == "A-1042"
        chat.model = [says("It was delivered.")]
        said = await chat.say("And now?")
        assert "The case is about order A-1042, delivered" in json.dumps(said.sent[0].input[0])


@pytest.mark.parametrize("email", ["alan@example.com", "", "ada@example.com.evil.example"])
async def test_an_order_is_not_shown_to_somebody_with_another_address(email):
    script = [calls("find_order", number="A-1042", email=email), says("Sorry.")]
    async with assistant_under_test(ASSISTANT, script) as chat:
        said = await chat.say("Where is A-1042?")
        assert said.call.result == "There is no order with this number and e-mail address."
        assert said.widgets == []
        assert (await chat.thread_data.read()).order is None


async def test_a_conversation_is_about_one_order():
    other = calls("find_order", number="A-1017", email="grace@example.com")
    script = [FIND, says("Here."), other, says("Please begin anew.")]
    async with assistant_under_test(ASSISTANT, script) as chat:
        await chat.say("Where is A-1042?")
        said = await chat.say("And A-1017?")
        assert "This conversation is about order A-1042" in said.call.result
        assert (await chat.thread_data.read()).order == "A-1042"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"reason": "changed"}, "Choose what you want to return."),
        ({"sku": "GRINDER-2", "reason": "changed"}, "Choose what you want to return."),
        ({"sku": "KETTLE-1"}, "Choose a reason."),
        (
            {"sku": "KETTLE-1", "reason": "broken", "details": "oh"},
            "Describe in a sentence what is broken.",
        ),
        ({**KETTLE, "details": "x" * 301}, "At most 300 characters, please."),
    ],
)
async def test_the_form_says_next_to_a_field_what_is_wrong_and_keeps_what_was_typed(typed, message):
    script = [FIND, says("Here."), calls("show_return_form"), says("Please.")]
    async with assistant_under_test(ASSISTANT, script) as chat:
        await chat.say("Where is A-1042?")
        form = (await chat.say("It goes back.")).widget
        drawn = (await chat.press(form, "return.send", typed)).widget
        assert message in words(drawn)
        assert typed.get("details", "") in words(drawn)
        assert (await chat.thread_data.read()).returns == {}


async def test_a_return_is_registered_once():
    async with assistant_under_test(ASSISTANT) as chat:
        card = (await with_return(chat)).widget
        assert "Return registered" in words(card)
        (registered,) = (await chat.thread_data.read()).returns.values()
        assert registered.reason == "I changed my mind"
        assert registered.details == "It is too small."
        with pytest.raises(Refused, match="no such button"):
            await chat.press(card, "return.send", KETTLE)


@pytest.mark.parametrize(
    ("number", "email", "reason"),
    [
        ("A-1017", "grace@example.com", "within 30 days"),
        ("A-1043", "alan@example.com", "not delivered yet"),
    ],
)
async def test_there_is_no_form_for_an_order_that_cannot_be_returned(number, email, reason):
    script = [
        calls("find_order", number=number, email=email),
        calls("show_return_form"),
        says("Sorry."),
    ]
    async with assistant_under_test(ASSISTANT, script) as chat:
        said = await chat.say("I want to return it.")
        assert reason in said.calls[1].result
        assert len(said.widgets) == 1


async def test_billing_pays_back_once_the_visitor_has_approved_it():
    async with assistant_under_test(ASSISTANT) as chat:
        await with_return(chat)
        refund = calls("refund", item="KETTLE-1", euros=49)
        chat.model = [calls("transfer_to_billing"), refund, says("It is on its way.")]
        said = await chat.say("My money, please.")
        assert (await chat.thread_data.read()).refunds == {}
        assert said.sent[1].system_instructions.startswith("You are the billing")
        said = await chat.press(said, "approval.decide", {"approve": True})
        assert said.text == "It is on its way."
        assert "49.00 € refunded" in words(said.widgets[-1])
        assert (await chat.thread_data.read()).refunds == {"KETTLE-1": 4900}


async def test_nothing_is_paid_back_when_the_visitor_declines():
    async with assistant_under_test(ASSISTANT) as chat:
        await with_return(chat)
        refund = calls("refund", item="KETTLE-1", euros=49)
        chat.model = [calls("transfer_to_billing"), refund, says("As you like.")]
        said = await chat.say("My money, please.")
        await chat.press(said, "approval.decide", {"approve": False})
        assert (await chat.thread_data.read()).refunds == {}


@pytest.mark.parametrize(
    ("item", "euros", "problem"),
    [
        ("KETTLE-1", 49.01, "At most 49.00 €"),
        ("KETTLE-1", -1, "At most 49.00 €"),
        ("FILTER-100", 6.5, "no return of FILTER-100"),
    ],
)
async def test_a_model_cannot_pay_back_more_than_was_paid_or_what_was_not_returned(
    item, euros, problem
):
    async with assistant_under_test(ASSISTANT) as chat:
        await with_return(chat)
        refund = calls("refund", item=item, euros=euros)
        chat.model = [calls("transfer_to_billing"), refund, says("That cannot be.")]
        said = await chat.say("My money, please.")
        said = await chat.press(said, "approval.decide", {"approve": True})
        assert problem in json.dumps(said.sent[-1].input, ensure_ascii=False)
        assert (await chat.thread_data.read()).refunds == {}


async def test_billing_is_offered_the_refund_only_when_something_was_returned():
    script = [FIND, calls("transfer_to_billing"), says("What did you return?")]
    async with assistant_under_test(ASSISTANT, script) as chat:
        said = await chat.say("Where is A-1042? My money, please.")
        assert "refund" not in {tool.name for tool in said.sent[-1].tools}


async def test_the_back_office_reads_an_order_by_the_route():
    async with assistant_under_test(ASSISTANT) as chat:
        with pytest.raises(Refused, match="Only the people of the shop"):
            await chat.get("/chatkit/x/orders/A-1042")
        staff = chat.as_user("mary", roles={"staff"})
        order = await staff.get("/chatkit/x/orders/A-1042")
        assert order["customer"] == "Ada Lovelace"
        with pytest.raises(Refused, match="no such order"):
            await staff.get("/chatkit/x/orders/A-9999")


async def test_the_demo_leads_through_all_of_it():
    async with assistant_under_test(ASSISTANT) as chat:
        said = await chat.say("Where is my order A-1042? My e-mail is ada@example.com.")
        assert "Order A-1042 was delivered on" in said.text
        said = await chat.say("I want to return the kettle.")
        await chat.press(said, "return.send", KETTLE)
        said = await chat.say("I want my money back.")
        assert buttons(said.widget, "approval.decide") == [{"approve": True}, {"approve": False}]
        said = await chat.press(said, "approval.decide", {"approve": True})
        assert "49.00 € goes back to the card ending in 4242" in said.text
        said = await chat.say("Where does my case stand?")
        assert "49.00 € refunded" in words(said.widget)


@pytest.mark.parametrize("words", ["I want to return the kettle.", "I want my money back."])
async def test_the_demo_asks_for_the_order_first(words):
    async with assistant_under_test(ASSISTANT) as chat:
        assert "First tell me which order it is" in (await chat.say(words)).text
