"""`make new-assistant` lays out an assistant that runs at once."""

import re
import subprocess
import sys

import pytest

from functions.settings import ROOT
from infra.local.new_assistant import NewAssistantError, lay_out


def test_the_new_assistant_answers_and_its_own_tests_pass(tmp_path):
    folder = lay_out("our_shop", tmp_path)
    assert "minimal" not in "".join(
        path.read_text().lower() for path in folder.rglob("*") if path.is_file()
    )
    configured = ["-c", str(ROOT / "pyproject.toml")]  # which it finds where it is laid out
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *configured, str(folder)],
        cwd=ROOT,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_name_may_contain_that_of_the_template_and_links_lead_to_the_docs(tmp_path):
    readme = (lay_out("minimal_shop", tmp_path) / "README.md").read_text()
    assert "make dev ASSISTANT=minimal_shop\n" in readme
    links = re.findall(r"\]\((.*?)\)", readme)
    assert links == ["../docs/assistant.md"]
    assert (ROOT / "minimal_shop" / links[0]).resolve().is_file()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "no name of a package"),
        ("../up", "no name of a package"),
        ("Shop", "no name of a package"),
        ("json", "a package named json already"),
        ("agents", "a package named agents already"),
    ],
)
def test_a_name_that_no_package_can_have_is_refused(tmp_path, name, says):
    with pytest.raises(NewAssistantError, match=says):
        lay_out(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_not_overwritten(tmp_path):
    (tmp_path / "acme").mkdir()
    with pytest.raises(NewAssistantError, match="acme/ exists already"):
        lay_out("acme", tmp_path)
