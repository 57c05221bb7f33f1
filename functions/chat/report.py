"""The report of what everybody has used and how good the answers were, for administrators."""

from fastapi import Request

from ..errors import PublicError
from ..services import ServicesDep, VisitorDep
from ..store.report import MAX_DAYS, Report, days_in

DEFAULT_DAYS = "30"


async def report(request: Request, visitor: VisitorDep, services: ServicesDep) -> Report:
    """`GET /chatkit/report`: that of the last `days`, today included: see `functions.store.report`.

    Only people who have signed in have roles, so an anonymous visitor never gets it.
    """
    if services.settings.admin_role not in visitor.roles:
        raise PublicError(403, "The report is for administrators.")
    days = days_in(request.query_params.get("days", DEFAULT_DAYS))
    if days is None:
        raise PublicError(422, f"days is a whole number from 1 to {MAX_DAYS}.")
    return await services.reports.read(days)
