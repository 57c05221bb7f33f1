"""moto behind the events function."""

from secrets import token_hex

import pytest

from functions.settings import Settings, forget_settings
from infra.local.cloud import local_cloud


@pytest.fixture(scope="module")
def cloud():
    """The table and the bucket of one module. Sets the environment and yields its variables."""
    with pytest.MonkeyPatch.context() as patch:
        # local_cloud changes these variables, and the end of this fixture restores them.
        for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "")
        patch.setenv("AWS_REGION", "us-east-1")
        # All moto servers of a process share their state, so each module needs different names.
        name = f"events-{token_hex(4)}"
        patch.setenv("CHATKIT_TABLE", name)
        patch.setenv("CHATKIT_ATTACHMENTS_BUCKET", name)
        forget_settings()
        with local_cloud(Settings(_env_file=None)) as variables:
            yield dict(variables)
    forget_settings()
