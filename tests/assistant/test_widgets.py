"""All templates of the starter."""

import json
from pathlib import Path

import pytest

from functions import assistant

FILES = sorted((Path(assistant.__file__).parent / "widgets").glob("*.widget"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_template_describes_its_data_and_has_its_files_name(path):
    definition = json.loads(path.read_text())
    assert definition["name"] == path.stem
    assert definition["version"] == "1.0"
    assert definition["jsonSchema"]["required"] == list(definition["jsonSchema"]["properties"])
