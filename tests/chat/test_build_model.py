"""The model that a message is answered with, its fallback, and what both cost."""

from agents import ModelSettings, ModelTracing

from functions.chat.message import _build_model
from functions.limit_table import Price
from functions.limits.answer_use import FREE, AnswerUse
from functions.limits.measures import Use
from functions.llm.fallback import FallbackModel
from functions.services import Services
from functions.settings import Settings
from tests.support.openai_server import Fail, OpenAIServer, Say
from tests.support.served import served


def services(url, **values):
    given = {
        "openai_base_url": f"{url}/v1",
        "model": "first",
        "model_api": "responses",
        "fallback_model": "second",
        "cookie_key": "k" * 32,
        **values,
    }
    return Services.of(Settings(_env_file=None, **given))


async def read(model):
    arguments = (None, "Hi", ModelSettings(), [], None, [], ModelTracing.DISABLED)
    more = {"previous_response_id": None, "conversation_id": None, "prompt": None}
    return [each async for each in model.stream_response(*arguments, **more)]


class Reserved:
    """A reservation with room for everything."""

    async def add(self, use):
        pass


async def test_the_first_model_is_asked_once_and_the_other_ones_price_counts():
    server = OpenAIServer(Fail(503), Say("Hello"))
    with served(server.app) as url:
        prices = {"first": Price(input=1, output=1), "second": Price(input=2, output=4)}
        use = AnswerUse(Reserved(), Use(messages=1), prices["first"])
        model = await _build_model("first", use, services(url, prices=prices))
        events = await read(model)
    assert events[-1].type == "response.completed"
    assert [request["model"] for request in server.requests] == ["first", "second"]
    used = use.used
    assert (used.input_tokens, used.output_tokens, used.microdollars) == (10, 5, 10 * 2 + 5 * 4)


async def test_a_model_that_is_not_listed_is_one_of_the_same_provider():
    """Such as one that an agent names by itself. It costs what the answer's model does."""
    server = OpenAIServer(Say("Hello"))
    with served(server.app) as url:
        use = AnswerUse(Reserved(), Use(messages=1), Price(input=1, output=1))
        await read(await _build_model("third", use, services(url, fallback_model=None)))
    assert [request["model"] for request in server.requests] == ["third"]
    assert use.used.microdollars == 15


async def test_the_fallback_has_no_fallback_itself():
    model = await _build_model(
        "second", AnswerUse(Reserved(), Use(), FREE), services("http://localhost:1")
    )
    assert not isinstance(model, FallbackModel)
