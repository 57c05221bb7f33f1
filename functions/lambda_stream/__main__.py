"""The entry point, which `bootstrap` starts instead of Lambda's own runtime client."""

import gc

gc.disable()  # imported objects stay alive, so collecting during imports only costs time

import asyncio  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402

from . import handler, logs, snapshot  # noqa: E402
from .cycle import ASGIApp  # noqa: E402
from .lifespan import LifespanError  # noqa: E402
from .runtime import serve  # noqa: E402
from .runtime_api import RuntimeApi  # noqa: E402


def main() -> None:
    ids = logs.set_up()
    root = os.environ.get("LAMBDA_TASK_ROOT")
    if root and root not in sys.path:
        sys.path.insert(0, root)
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    with asyncio.Runner() as runner:
        app = _load(runner, api)
        gc.freeze()  # leave the imported objects out of later collections
        gc.enable()
        if snapshot.wanted():
            snapshot.take(runner, api)
        try:
            runner.run(serve(app, api, ids))
        except LifespanError as exc:
            logging.getLogger(__name__).critical("%s", exc)
            raise SystemExit(1) from exc


def _load(runner: asyncio.Runner, api: RuntimeApi) -> ASGIApp:
    try:
        return handler.load(os.environ.get("_HANDLER", ""))
    except (Exception, SystemExit) as exc:
        logging.getLogger(__name__).exception("the handler cannot be loaded")
        runner.run(api.init_error(exc))
        raise SystemExit(1) from exc


if __name__ == "__main__":
    main()
