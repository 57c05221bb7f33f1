"""The limits of a stage: the defaults that the docs tell, and what settings change of them."""

import json
import re

import pytest

from functions.limit_table import ScopeLimits
from functions.settings import ROOT
from infra.stack.context import SettingsError, read_settings
from infra.stack.limits import answers_at_once


def table(**typed):
    return read_settings(typed).limit_table


def test_the_docs_tell_every_limit_and_its_default():
    text = (ROOT / "docs/limits.md").read_text()
    rows = re.findall(
        r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE
    )
    assert [name for name, *_ in rows] == list(ScopeLimits.model_fields)
    limits = table()
    for name, *cells in rows:
        for scope, cell in zip(("person", "tenant", "network", "stage"), cells, strict=True):
            limit = getattr(getattr(limits, scope), name)
            told = {"–": None, "`dailyBudget`": None}.get(cell, cell.replace(",", ""))
            assert (None if limit is None else str(limit)) == told, (name, scope)
    reasons = re.findall(r"^\| `(\w+)` \| [A-Z][^|]+ \|$", text, re.MULTILINE)
    assert reasons == list(ScopeLimits.model_fields)


def test_settings_change_single_limits_and_null_turns_one_off():
    limits = table(
        limits=json.dumps(
            {
                "person": {"messages_per_day": 50, "answers_at_once": None},
                "roles": {"staff": 10},
                "kept_share": 0,
            }
        ),
        oidcRolesClaim="groups",
        auth="oidc",
        oidcIssuer="https://login.example",
        oidcClientId="page",
        messagesPerMinute="0",
        messagesPerDay="70",
        dailyBudget="2.5",
    )
    assert limits.person.messages_per_day == 50
    assert limits.person.answers_at_once is None
    assert limits.person.messages_per_minute is None
    assert limits.person.requests_per_minute == 120
    assert (limits.stage.messages_per_day, limits.stage.dollars_per_day) == (70, 2.5)
    assert (limits.roles, limits.kept_share, limits.newcomers) == ({"staff": 10}, 0, 0.5)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"limits": "{"}, "this is not JSON"),
        ({"limits": '{"person": {"messages_per_hour": 1}}'}, "messages_per_hour"),
        ({"limits": '{"persons": {}}'}, "persons"),
        ({"limits": '{"person": {"messages_per_day": 0}}'}, "greater than or equal to 1"),
        ({"limits": '{"stage_shards": 50, "stage": {"messages_per_day": 9}}'}, "stage_shards"),
        ({"limits": '{"tenant": {"messages_per_day": 9}}'}, "oidcTenantClaim"),
        ({"limits": '{"roles": {"staff": 2}}'}, "oidcRolesClaim"),
        ({"prices": '{"m": {"input": 1}}'}, "m: output"),
        ({"dailyBudget": "0"}, "dailyBudget"),
    ],
)
def test_what_is_no_limit_is_said_at_synth(typed, said):
    with pytest.raises(SettingsError, match=re.escape(said)):
        read_settings(typed)


def test_every_model_has_a_price():
    settings = read_settings(
        {
            "provider": "openai",
            "models": "gpt-b (staff),gpt-c",
            "oidcRolesClaim": "groups",
            "auth": "oidc",
            "oidcIssuer": "https://login.example",
            "oidcClientId": "page",
            "prices": '{"gpt-c": {"input": 9, "output": 90}}',
        }
    )
    other = {"input": 0.25, "output": 2.0}
    assert settings.model_prices == {
        "gpt-5-mini": other,
        "gpt-b": other,
        "gpt-c": {"input": 9, "output": 90},
    }


@pytest.mark.parametrize(
    ("concurrency", "answers"), [(0, None), (1, 1), (3, 1), (20, 16), (100, 80)]
)
def test_a_share_of_the_concurrency_is_kept_from_answers(concurrency, answers):
    assert answers_at_once(concurrency) == answers
