"""Loads the app that `_HANDLER` names."""

import importlib
from typing import cast

from .cycle import ASGIApp
from .faults import HandlerError


def load(name: str) -> ASGIApp:
    """Import `package.module.attribute`.

    Raises `HandlerError`, with the error types of Lambda's own client, or the exception that the
    module raises.
    """
    module_name, _, attribute = name.replace("/", ".").rpartition(".")
    if not module_name or not attribute:
        raise HandlerError(
            "Runtime.MalformedHandlerName", f"Bad handler '{name}': expected module.attribute"
        )
    try:
        module = importlib.import_module(module_name)
    except ImportError as exc:
        message = f"Unable to import module '{module_name}': {exc}"
        raise HandlerError("Runtime.ImportModuleError", message) from exc
    except SyntaxError as exc:
        message = f"Syntax error in module '{module_name}': {exc}"
        raise HandlerError("Runtime.UserCodeSyntaxError", message) from exc
    app = getattr(module, attribute, None)
    if not callable(app):
        raise HandlerError(
            "Runtime.HandlerNotFound", f"'{module_name}' has no ASGI app named '{attribute}'"
        )
    return cast("ASGIApp", app)
