"""An error as JSON with a `message`, which the page shows."""

from starlette.responses import JSONResponse


def error_response(
    status: int, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    return JSONResponse({"message": message}, status, headers)
