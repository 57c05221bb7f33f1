"""The folder that `make dev` has for itself."""

import stat

import pytest

from infra.local.folder import FolderInUseError, cookie_key, locked


def test_the_key_is_made_once_and_only_this_account_can_read_it(tmp_path):
    key = cookie_key(tmp_path)
    assert len(key) == 64
    assert cookie_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "cookie-key").stat().st_mode) == 0o600


@pytest.mark.parametrize("damaged", [b"", b"short", b"\xff" * 40])
def test_a_key_that_is_no_key_is_replaced(tmp_path, damaged):
    (tmp_path / "cookie-key").write_bytes(damaged)
    assert len(cookie_key(tmp_path)) == 64
    assert cookie_key(tmp_path) == (tmp_path / "cookie-key").read_text()


def test_one_holds_the_lock_at_a_time(tmp_path):
    with locked(tmp_path / "new"), pytest.raises(FolderInUseError), locked(tmp_path / "new"):
        pass
    with locked(tmp_path / "new"):
        pass
