"""SnapStart: runs hooks before the snapshot and after each restore.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html.
Hooks are registered with `snapshot_restore_py`, as with Lambda's own client.
"""

import asyncio
import logging
import os
import random

from .runtime_api import RuntimeApi

logger = logging.getLogger(__name__)
BEFORE_SNAPSHOT_FAILED = 64  # exit codes of Lambda's own Python client
AFTER_RESTORE_FAILED = 65


def wanted() -> bool:
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"


def take(runner: asyncio.Runner, api: RuntimeApi) -> None:
    """Run the hooks before the snapshot, wait for the restore, and run the hooks after it.

    Hooks are plain functions and run outside the event loop, so that they can use `asyncio.run`.
    When a hook fails, the error is reported and the process exits.
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
        logger.exception("a hook before the snapshot failed")
        runner.run(api.init_error(exc, error_type="Runtime.BeforeSnapshotError"))
        raise SystemExit(BEFORE_SNAPSHOT_FAILED) from exc
    try:
        random.seed()  # all environments restored from one snapshot have the same seed otherwise
        for hook, args, kwargs in get_after_restore():
            hook(*args, **kwargs)
    except Exception as exc:
        logger.exception("a hook after restore failed")
        runner.run(api.restore_error(exc, error_type="Runtime.AfterRestoreError"))
        raise SystemExit(AFTER_RESTORE_FAILED) from exc
