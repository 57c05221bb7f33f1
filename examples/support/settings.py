"""The desk's settings: `CHATKIT_ASSISTANT_RETURN_DAYS=14` and so on."""

from pydantic import Field

from functions.toolkit import AssistantSettings


class DeskSettings(AssistantSettings):
    shop: str = "Fern & Kettle"
    return_days: int = Field(30, ge=0)
    """How many days after its delivery an order can be returned."""
    staff_role: str = "staff"
    """The role of the people who may read orders by the route."""


SETTINGS = DeskSettings()
