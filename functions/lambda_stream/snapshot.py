"""SnapStart: what runs before the snapshot, and after each waking from it.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html.
The hooks are registered with `snapshot_restore_py`, as under Lambda's own client.
"""

import asyncio
import logging
import os
import random

from .runtime_api import RuntimeApi

_LOGGER = logging.getLogger(__name__)
BEFORE_SNAPSHOT_FAILED = 64  # exit codes of Lambda's own Python client
AFTER_RESTORE_FAILED = 65


def wanted() -> bool:
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"


def take(runner: asyncio.Runner, api: RuntimeApi) -> None:
    """Run the before-hooks, wait through snapshot and restore, run the after-hooks.

    Hooks are plain functions and run outside the event loop, so that they may use
    `asyncio.run`. Leaves the process when one fails, having reported it.
    """
    from snapshot_restore_py import (  # noqa: PLC0415 - only where SnapStart is on
        get_after_restore,
        get_before_snapshot,
    )

    try:
        for hook, args, kwargs in reversed(get_before_snapshot()):
            hook(*args, **kwargs)
        runner.run(api.restore_next())
    except Exception as exc:
        _LOGGER.exception("a hook before the snapshot failed")
        runner.run(api.init_error(exc, error_type="Runtime.BeforeSnapshotError"))
        raise SystemExit(BEFORE_SNAPSHOT_FAILED) from exc
    try:
        random.seed()  # or every environment woken from one snapshot draws the same numbers
        for hook, args, kwargs in get_after_restore():
            hook(*args, **kwargs)
    except Exception as exc:
        _LOGGER.exception("a hook after restore failed")
        runner.run(api.restore_error(exc, error_type="Runtime.AfterRestoreError"))
        raise SystemExit(AFTER_RESTORE_FAILED) from exc
