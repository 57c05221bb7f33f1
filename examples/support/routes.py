"""`GET /chatkit/x/orders/A-1042`: an order for the back office."""

from fastapi import APIRouter

from functions.toolkit import ActionError
from functions.toolkit.routes import CallerDep

from .orders import order_by_number
from .settings import SETTINGS

router = APIRouter()


@router.get("/orders/{number}", response_model=None)
async def order(number: str, caller: CallerDep) -> dict[str, object]:
    if not caller.context.has_role({SETTINGS.staff_role}):
        raise ActionError(403, "Only the people of the shop may read orders.")
    found = await order_by_number(number)
    if found is None:
        raise ActionError(404, "There is no such order.")
    return found.model_dump()
