"""Whatever ids a request carries, nobody sees or changes what is another person's.

The requests make themselves (`examples.py`). Each is sent with an id of another user or of another
tenant in each of its places, and again with an id that nobody has. Both answers are the same, no
answer has anything of the other person in it, and not a row or an object of theirs changes.
"""

import asyncio
import itertools
import json
import re
import time
from contextlib import ExitStack
from secrets import token_hex

import pytest

from functions.services import Services
from functions.settings import Settings
from infra.local.app import Origin
from tests.security.example_values import examples
from tests.security.world import World, browser
from tests.support.issuer import AUDIENCE, CLIENT, bearer, issuing
from tests.support.openai_server import OpenAIServer, Say
from tests.support.served import served

DAY = 86_400
MALFORMED = ["", "../../other", "a#b", "%00", "x" * 1500, "\ud800", "thr_", "*"]
FRESH = [
    (re.compile(r"\b(thr|msg|wf|tc|tsk|atc|shcx)_[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)?"), "<time>"),
    (re.compile(r"http://127\.0\.0\.1:\d+/[^\"\s]*"), "<link>"),
    (re.compile(r"uploads/voice/[0-9a-f]+/[0-9a-f]+"), "<recording>"),
    (re.compile(r"secret[0-9a-f]{16}"), "<own text>"),
    (re.compile(r"\b(item_)?[0-9a-f]{12}(?=True|False|\b)"), "<entity>"),
]
"""What differs between two answers to the same request."""


@pytest.fixture(scope="module")
def issuer():
    with issuing() as made:
        yield made


@pytest.fixture(scope="module")
def services(cloud, issuer):
    with ExitStack() as stack:
        model = stack.enter_context(served(OpenAIServer(Say("Yes.")).app))
        yield Services.of(
            Settings(
                _env_file=None,
                openai_base_url=f"{model}/v1",
                openai_api_key="k",
                model="test",
                model_api="chat_completions",
                auth="oidc",
                oidc_optional=True,
                oidc_issuer=issuer.url,
                oidc_client_id=CLIENT,
                oidc_audience=AUDIENCE,
                oidc_tenant_claim="tenant",
            )
        )


async def no_page(scope, receive, send):
    raise AssertionError("not a request of the API")


@pytest.fixture(scope="module")
def url(services):
    with served(Origin(services, no_page)) as url:
        yield url


@pytest.fixture
def people(url, services, issuer):
    """People by name: two whose things are wanted, and three who want them."""
    tokens = {
        "visitor": None,
        "ada": {"sub": "ada", "tenant": "acme"},
        "another visitor": None,
        "her namesake elsewhere": {"sub": "ada", "tenant": "other"},
        "a colleague": {"sub": "bob", "tenant": "acme"},
    }
    with ExitStack() as stack:
        worlds = {}
        for name, claims in tokens.items():
            headers = bearer(issuer.token(exp=time.time() + DAY, **claims)) if claims else None
            worlds[name] = World(stack.enter_context(browser(url, headers)), services)
        yield worlds


VICTIMS = ["visitor", "ada"]
ATTACKERS = ["another visitor", "her namesake elsewhere", "a colleague"]


def send(world, example):
    return world.http.request(
        example.method,
        example.url,
        params=example.query or None,
        headers={"content-type": "application/json", **example.headers},
        content=None if example.body is None else json.dumps(example.body),
    )


def told(answer, *probes):
    """What an answer says, without what differs from one request to the next."""
    text = answer.text
    for probe in probes:
        text = text.replace(json.dumps(probe)[1:-1], "<probe>").replace(probe, "<probe>")
    for pattern, instead in FRESH:
        text = pattern.sub(instead, text)
    return answer.status_code, text


def like(given):
    """An id of the same form that nobody has."""
    return re.sub(
        r"[0-9a-f]{8,}(?=/|$)", lambda found: token_hex(len(found[0]))[: len(found[0])], given
    )


def own_for(example_name, own):
    """A person's own ids, with the item that this request is about."""
    if "structured_input" in example_name:
        return {**own, "item_id": own["question"]}
    if "custom_action" in example_name:
        return {**own, "item_id": own["widget"]}
    if "files" in example_name:
        return {**own, "attachment_id": own.get("sent_file", "")}
    return own


def made(own):
    """All requests of a person who has everything."""
    return [example_of(example.name, own) for example in examples(own)]


def example_of(name, own):
    return next(each for each in examples(own_for(name, own)) if each.name == name)


async def test_each_request_works_with_ones_own_ids(people):
    """Otherwise an attack would prove nothing."""
    world = people["a colleague"]
    failed = []
    for name in [example.name for example in made(await world.own())]:
        example = example_of(name, await world.own())
        answer = await asyncio.to_thread(send, world, example)
        if answer.status_code >= 300 or '"type":"error"' in answer.text:
            failed.append((name, answer.status_code, answer.text[:300]))
    assert failed == []


async def attack(people, choose, order=0):
    """Send every request with every probe that `choose` takes; the number of attempts."""
    before, wanted, runs = {}, {}, {}
    for name in VICTIMS:
        wanted[name] = await people[name].own()
        runs[name] = iter(await people[name].runs(100))
        before[name] = people[name].everything()
    secrets = {secret for name in VICTIMS for secret in people[name].owned}
    attempts = 0
    attackers = itertools.cycle(list(itertools.permutations(ATTACKERS))[order])
    for example, place in [(e, n) for e in made(wanted["ada"]) for n in range(len(e.leaves))]:
        name = example.name
        kept = {}
        for victim in VICTIMS:
            wanted[victim]["run_id"] = next(runs[victim])
        for probe, twin in choose(name, place, wanted):
            attacker = people[next(attackers)]
            own = kept.pop(attacker, None)
            answers = []
            for value in (probe, twin):
                if value is None:
                    continue
                own = own or await attacker.own(example.needs)
                attacked = example_of(name, own).with_value(example.leaves[place], value)
                try:
                    answer = await asyncio.to_thread(send, attacker, attacked)
                except (UnicodeEncodeError, ValueError):
                    continue  # not even a header can carry it
                where = (name, example.leaves[place].path, value[:60])
                assert answer.status_code < 500, (where, answer.text[:300])
                leaked = [s for s in secrets if s in answer.text and s not in value]
                assert leaked == [], (where, answer.text[:300])
                answers.append((told(answer, probe, twin or probe), where))
                attempts += 1
                if answer.status_code < 400:
                    own = None  # it may have changed something of theirs
            if own:
                kept[attacker] = own
            if len(answers) == 2:
                (foreign, where), (unknown, _) = answers
                assert foreign == unknown, where
    for name in VICTIMS:
        assert people[name].everything() == before[name]
    return attempts


KINDS = ["thread_id", "item_id", "sent_file", "attachment_id", "run_id", "recording", "entity"]


async def test_a_foreign_id_is_answered_as_an_unknown_one_and_nothing_changes(people):
    def choose(name, place, wanted):
        kind = example_of(name, wanted["ada"]).leaves[place].kind
        for victim in VICTIMS if kind else VICTIMS[place % 2 :][:1]:
            own = own_for(name, wanted[victim])
            probe = own[kind or "thread_id"]
            yield probe, like(probe)
        if kind:
            number = (place + len(name)) % len(MALFORMED)
            yield MALFORMED[number], None

    assert await attack(people, choose) >= 200


@pytest.mark.soak
@pytest.mark.parametrize("fifth", range(5))
async def test_ten_thousand_attempts(people, fifth):
    def choose(name, place, wanted):
        # A run's id can be used once: the second time, the answer is that of the first.
        is_run = example_of(name, wanted["ada"]).leaves[place].kind == "run_id"
        for victim in VICTIMS:
            for kind in ["run_id"] if is_run else KINDS:
                yield wanted[victim][kind], like(wanted[victim][kind])
        for text in MALFORMED:
            yield text, None

    assert await attack(people, choose, order=fifth) >= 2_000
