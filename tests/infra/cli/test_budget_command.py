"""make budget: what it says, what it asks, and which budget it means."""

import asyncio
import io
import json

import boto3
import pytest
from moto import mock_aws

from functions.context import RequestContext
from functions.limit_table import LimitTable
from functions.limits import Limits, Use
from functions.store import create_table
from functions.store.table import Table
from infra.cli import cdk, command, deploy
from infra.cli.account import Account
from infra.cli.protection import what_protects
from infra.stack.context import read_settings
from tests.support.cloud import own_cloud

REGION = "eu-central-1"
SETTINGS = read_settings({"region": REGION})
ADA = RequestContext(user_id="ada")


def deployed(stage, **outputs):
    body = {
        "Resources": {"Q": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    boto3.client("cloudformation").create_stack(
        StackName=f"chatkit-{stage}", TemplateBody=json.dumps(body)
    )


@pytest.fixture
def spend(monkeypatch):
    """A stage in moto with $20 a day in two rows. `spend(dollars)` is an answer that costs them."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        client = boto3.client("dynamodb")
        create_table(client, "conversations")
        deployed("dev", TableName="conversations", DailyBudget="20.0", BudgetRows="2")
        table = {"stage": {"dollars_per_day": 20}, "stage_shards": 2}
        limits = Limits(LimitTable.model_validate(table), Table("conversations", client))
        yield lambda dollars: asyncio.run(limits.spend(ADA, Use(microdollars=dollars * 1_000_000)))


def budget(*words, settings=SETTINGS):
    command.run("budget", list(words), settings, Account(settings))


def amounts(shown):
    """The last table that was shown."""
    rows = [line.rsplit("$", 1) for line in shown.splitlines() if line.startswith("  ")]
    return {what.strip(): float(amount) for what, amount in rows}


def test_without_dollars_it_says_what_the_day_has_come_to_and_changes_nothing(spend, capsys):
    spend(7)
    for _ in range(2):
        budget()
        shown = capsys.readouterr().out
        assert shown.startswith("The stage dev, today until 20")
        assert amounts(shown) == {
            "limit of a day": 20,
            "allowed besides": 0,
            "cost so far": 7,
            "held for answers that are being written": 0,
            "left": 13,
        }


def test_each_yes_allows_so_many_more(spend, monkeypatch, capsys):
    for _ in range(2):
        spend(10)
    for times in (1, 2):
        monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
        budget("--dollars", "12.50")
        shown = capsys.readouterr().out
        assert "Allow $12.50 more for today? Type yes: " in shown
        assert f"Left now: ${times * 12.5:.2f}." in shown
    budget()
    assert amounts(capsys.readouterr().out)["allowed besides"] == 25


@pytest.mark.parametrize("typed", ["\n", "", "no\n", "y\n"])
def test_anything_but_yes_changes_nothing(spend, monkeypatch, capsys, typed):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    with pytest.raises(SystemExit, match=r"^Nothing is changed\.$"):
        budget("--dollars", "12")
    capsys.readouterr()
    budget()
    assert amounts(capsys.readouterr().out)["allowed besides"] == 0


def test_who_is_sure_is_not_asked(spend, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    budget("--dollars", "$5", "--yes")
    assert "Left now: $25.00." in capsys.readouterr().out


@pytest.mark.parametrize("typed", ["0", "-5", "nan", "inf", "much", ""])
def test_what_is_no_amount_is_refused_before_anything_is_shown(spend, capsys, typed):
    with pytest.raises(SystemExit, match="is not a number of dollars, such as 20"):
        budget("--dollars", typed, "--yes")
    assert capsys.readouterr().out == ""


def test_somebody_who_allows_more_between_the_question_and_the_yes_is_noticed(
    spend, monkeypatch, capsys
):
    class Slow(io.StringIO):
        def readline(self):
            monkeypatch.setattr("sys.stdin", io.StringIO())
            budget("--dollars", "1", "--yes")
            return "yes\n"

    monkeypatch.setattr("sys.stdin", Slow())
    with pytest.raises(SystemExit, match="Look at what is allowed now"):
        budget("--dollars", "12")
    capsys.readouterr()
    budget()
    assert amounts(capsys.readouterr().out)["allowed besides"] == 1


def test_a_stage_without_a_budget_and_one_that_does_not_exist_say_so(spend):
    deployed("free", TableName="conversations")
    free = read_settings({"stage": "free", "region": REGION})
    with pytest.raises(SystemExit, match="free has no budget: deploy it with -c dailyBudget=20"):
        budget(settings=free)
    with pytest.raises(SystemExit, match="There is no stack chatkit-qa"):
        budget(settings=read_settings({"stage": "qa", "region": REGION}))


def typed(monkeypatch, *words):
    monkeypatch.setattr("sys.argv", ["command", "budget", *words])
    command.main()


@pytest.fixture
def dev(monkeypatch, tmp_path):
    """A make dev that runs on port 8000."""
    monkeypatch.delenv("PORT", raising=False)
    with own_cloud(monkeypatch) as variables:
        monkeypatch.setenv("CHATKIT_LOCAL_DIR", str(tmp_path))
        monkeypatch.setenv("CHATKIT_LIMITS", "{}")
        lines = [f"{name}={value}\n" for name, value in variables.items()]
        (tmp_path / "8000.env").write_text("".join(lines))
        yield


def test_without_a_stage_it_is_the_make_dev_that_is_running(dev, monkeypatch, capsys):
    monkeypatch.setenv("CHATKIT_LIMITS", '{"stage": {"dollars_per_day": 5}}')
    typed(monkeypatch, "--dollars", "2", "--yes")
    shown = capsys.readouterr().out
    assert shown.startswith("make dev on port 8000, today until 20")
    assert "Left now: $7.00." in shown


def test_a_make_dev_without_a_budget_says_how_it_gets_one(dev, monkeypatch):
    with pytest.raises(SystemExit, match=r"make dev has no budget: put one into \.env"):
        typed(monkeypatch)


def test_without_a_stage_and_without_a_make_dev_no_account_is_asked(monkeypatch, tmp_path):
    monkeypatch.setenv("CHATKIT_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv("PORT", "8765")
    monkeypatch.setattr(Account, "check", lambda _: pytest.fail("no stage is meant"))
    with pytest.raises(SystemExit, match=r"No make dev is running on port 8765\. For a stage: "):
        typed(monkeypatch)


PUBLIC = {"provider": "openai"}
OIDC = {"auth": "oidc", "oidcIssuer": "https://i.example", "oidcClientId": "page"}


@pytest.mark.parametrize("more", [{}, {**OIDC, "oidcOptional": "true"}])
def test_a_public_stage_with_a_real_model_is_told_what_protects_it(more):
    said = what_protects(read_settings({**PUBLIC, **more, "region": REGION}))
    for part in ("-c waf=true", "$7 a month", "-c turnstileSiteKey=", "-c dailyBudget="):
        assert part in said
    assert "\n" not in said
    with_budget = read_settings({**PUBLIC, **more, "region": REGION, "dailyBudget": "9"})
    assert "dailyBudget" not in what_protects(with_budget)


@pytest.mark.parametrize("typed", [{}, {**PUBLIC, "waf": "true"}, {**PUBLIC, **OIDC}])
def test_a_stage_that_costs_nothing_or_is_protected_or_private_is_told_nothing(typed):
    assert what_protects(read_settings({**typed, "region": REGION})) is None


def test_a_deploy_ends_with_what_protects_the_stage(monkeypatch, tmp_path, capsys):
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps({"chatkit-dev": {"PageUrl": "https://page.example"}}))
    monkeypatch.setattr(deploy, "OUTPUTS", outputs)
    monkeypatch.setattr(cdk, "run", lambda *_: None)
    for name in ("refuse_newer_table", "keep_table_version", "remove_old_versions"):
        monkeypatch.setattr(deploy, name, lambda *_: None)
    monkeypatch.setattr(deploy.smoke, "smoke", lambda *_: None)
    for settings, ends in ((read_settings({**PUBLIC, "region": REGION}), True), (SETTINGS, False)):
        command.run("deploy", [], settings, Account(settings))
        assert ("-c waf=true" in capsys.readouterr().out.splitlines()[-1]) is ends
