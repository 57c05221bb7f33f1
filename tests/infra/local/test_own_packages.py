"""What an assistant needs besides is installed once, beside `.venv`, and comes behind it."""

import hashlib
import os
import sys
import zipfile

import pytest

from infra import assistant_package
from infra.local import own_packages
from infra.local.own_packages import PackagesError, installed, use_own_packages

METADATA = "Metadata-Version: 2.1\nName: kettle-of-ours\nVersion: 1.0\n"


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """The lock of an assistant that needs one package, which is a wheel on this machine."""
    wheel = tmp_path / "kettle_of_ours-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("kettle_of_ours.py", "BOILS = 100")
        archive.writestr("pytest.py", "raise ImportError('.venv has another one')")
        about = "kettle_of_ours-1.0.dist-info"
        archive.writestr(f"{about}/METADATA", METADATA)
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = package / "requirements.txt"
    lock.write_text(f"kettle-of-ours @ {wheel.as_uri()} --hash=sha256:{digest}\n")
    for module in (assistant_package, own_packages):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(own_packages, "FOLDER", tmp_path / ".cache" / "packages")
    monkeypatch.setattr(sys, "path", [*sys.path])
    return lock


def test_own_packages_are_imported_after_those_of_venv_and_no_child_process_inherits_them(
    lock, capsys
):
    environment = dict(os.environ)
    use_own_packages("shop")
    use_own_packages("shop")
    folder = installed(lock)
    assert sys.path[-1] == str(folder)
    assert sys.path.count(str(folder)) == 1
    assert (folder / "kettle_of_ours.py").is_file()
    assert os.environ == environment
    assert capsys.readouterr().out == "setup: installing shop/requirements.txt\n"


def test_another_lock_is_another_folder_and_a_wrong_hash_is_refused(lock):
    before = installed(lock)
    lock.write_text(lock.read_text().replace("--hash", "  --hash"))
    assert installed(lock) != before
    lock.write_text(lock.read_text().replace("sha256:", "sha256:00")[:-3] + "\n")
    with pytest.raises(PackagesError, match=r"shop/requirements\.txt could not be installed"):
        installed(lock)
    assert len([*own_packages.FOLDER.iterdir()]) == 2
