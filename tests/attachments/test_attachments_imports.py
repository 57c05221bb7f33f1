"""The modules that an import of this package loads, in a fresh interpreter."""

import subprocess
import sys

import pytest


def loaded_by(module):
    """The names of all modules that are loaded after an import of `module`."""
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["functions.attachments", "functions.attachments.schema"])
def test_files_and_their_schema_load_nothing_of_the_store(module):
    assert not {name for name in loaded_by(module) if name.startswith("functions.store")}


@pytest.mark.parametrize("module", ["functions.store", "functions.attachments"])
def test_either_package_can_be_imported_first_and_without_a_model_sdk(module):
    """The second function must not pay for the Agents SDK at its cold start."""
    assert not loaded_by(module) & {"agents", "openai"}


def test_what_reads_files_is_not_loaded_at_a_cold_start():
    readers = {"PIL", "charset_normalizer", "docx", "lxml", "openpyxl"}
    assert not loaded_by("functions.attachments.content") & readers
