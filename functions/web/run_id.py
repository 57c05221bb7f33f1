"""The id that a page gives to one streaming request, so that it is run once and can be stopped.

The answer has it in a header, and the text of a fault, so that a visitor can say which run failed.
"""

import re
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError
from starlette.requests import Request

from ..errors import PublicError

RUN_ID_HEADER = "x-chatkit-run-id"
"""Of the request, and of the answer, also where the server has made the id."""

FAULT = "Something went wrong here. Please try again."

RunId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
"""It is part of a key in the table and of a response header."""

_run_id: TypeAdapter[str] = TypeAdapter(RunId)


def run_id_of(request: Request) -> str | None:
    """The id in the request's header, if there is one.

    Raises `PublicError` (422) when it has another form.
    """
    given = request.headers.get(RUN_ID_HEADER)
    if given is None:
        return None
    try:
        return _run_id.validate_python(given)
    except ValidationError:
        raise PublicError(
            422, f"{RUN_ID_HEADER}: 1 to 100 letters, digits, dots, hyphens and underscores."
        ) from None


def with_run(message: str, run_id: str) -> str:
    """The text of an error, with the id that `make run` finds the log by."""
    return f"{message} (run {run_id})"


def without_run(message: str) -> str:
    """The text of an error, without the id of a run, which is another one each time."""
    return re.sub(r" \(run [A-Za-z0-9._-]+\)$", "", message)
