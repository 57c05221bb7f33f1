"""The table of settings in the docs is the settings'."""

from infra.cli import settings_table


def test_the_table_of_settings_is_the_models():
    page = settings_table.PAGE.read_text()
    assert settings_table.with_table(page) == page, "run python -m infra.cli.settings_table"
