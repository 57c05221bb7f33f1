"""The tables of settings in the docs and in the changelog are the settings'."""

import json

from infra.cli import settings_table


def test_the_table_of_settings_is_the_models():
    page = settings_table.PAGE.read_text()
    assert settings_table.with_table(page) == page, "run python -m infra.cli.settings_table"


def test_the_changelog_says_which_settings_are_new_gone_or_have_another_default():
    page = settings_table.CHANGELOG.read_text()
    made = settings_table.with_table(page, settings_table.changes())
    assert made == page, "run python -m infra.cli.settings_table"
    assert page.index("## [Unreleased]") < page.index(settings_table.BEGIN)


def test_a_change_of_each_kind_is_a_row(monkeypatch, tmp_path):
    before = settings_table.released()
    del before["waf"]
    file = tmp_path / "released.json"
    file.write_text(json.dumps(before | {"jwtIssuer": "", "provider": "`openai`"}))
    monkeypatch.setattr(settings_table, "RELEASED", file)
    assert settings_table.changes().splitlines()[2:] == [
        "| `jwtIssuer` | none | gone |",
        "| `provider` | `openai` | `demo` |",
        "| `waf` | new | `false` |",
    ]
