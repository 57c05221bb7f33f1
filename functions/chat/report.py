"""The report of what everybody has used and how good the answers were, for administrators."""

from fastapi import APIRouter, Request

from ..errors import PublicError
from ..services import ServicesDep, VisitorDep
from ..store.report import MAX_DAYS, Report

DEFAULT_DAYS = "30"

router = APIRouter()


@router.get("/chatkit/report", response_model=None)
async def report(request: Request, visitor: VisitorDep, services: ServicesDep) -> Report:
    """The report of the last `days`, today included: see `functions.store.report`.

    Only people who have signed in have roles, so an anonymous visitor never gets it.
    """
    if services.settings.admin_role not in visitor.roles:
        raise PublicError(403, "The report is for administrators.")
    typed = request.query_params.get("days", DEFAULT_DAYS)
    days = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else 0  # noqa: PLR2004
    if not 1 <= days <= MAX_DAYS:
        raise PublicError(422, f"days is a whole number from 1 to {MAX_DAYS}.")
    return await services.reports.read(days)
