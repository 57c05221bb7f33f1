"""The page about sign-in names every setting with its default."""

import re

from functions.settings import ROOT, Settings

PAGE = ROOT / "docs" / "sign-in.md"


def test_every_setting_of_sign_in_is_in_the_table_with_its_default():
    rows = dict(
        re.findall(r"^\| `(CHATKIT_OIDC_\w+)` \| ([^|]*)\|", PAGE.read_text(), re.MULTILINE)
    )
    fields = {n: f for n, f in Settings.model_fields.items() if n.startswith("oidc_")}
    assert rows.keys() == {f"CHATKIT_{name.upper()}" for name in fields}
    for name, field in fields.items():
        shown = str(field.default).lower() if field.default in (True, False) else field.default
        assert rows[f"CHATKIT_{name.upper()}"].strip("` ") == (shown or ""), name
