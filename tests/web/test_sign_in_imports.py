"""What verifies tokens is loaded where people sign in, and nowhere else."""

import os
import subprocess
import sys

import pytest

ANONYMOUS = {"CHATKIT_COOKIE_KEY": "0" * 64}
OIDC = {
    "CHATKIT_AUTH": "oidc",
    "CHATKIT_OIDC_ISSUER": "https://login.example",
    "CHATKIT_OIDC_CLIENT_ID": "page",
}
VERIFIERS = {"jwt", "cryptography"}


def loaded(handler, **variables):
    """The packages that a cold start of a function loads."""
    code = f"import sys, {handler}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables},
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("handler", ["functions.chat.handler", "functions.actions.handler"])
def test_a_cold_start_of_an_anonymous_deployment_loads_nothing_that_verifies_tokens(handler):
    assert not loaded(handler, **ANONYMOUS) & VERIFIERS


@pytest.mark.parametrize("handler", ["functions.chat.handler", "functions.actions.handler"])
def test_where_people_sign_in_it_is_loaded_at_the_start(handler):
    """And not by the first request, which would wait for it; a snapshot has it, too."""
    assert loaded(handler, **OIDC) >= VERIFIERS
