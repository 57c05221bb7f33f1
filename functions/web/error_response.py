"""An error as JSON with a `message`, which the page shows, and perhaps a `code`, which it reads."""

from starlette.responses import JSONResponse


def error_response(
    status: int, message: str, headers: dict[str, str] | None = None, *, code: str | None = None
) -> JSONResponse:
    return JSONResponse({"message": message} | ({"code": code} if code else {}), status, headers)
