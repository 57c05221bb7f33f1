"""The settings of this assistant."""

from functions.toolkit import AssistantSettings


class ShopSettings(AssistantSettings):
    url: str | None = None
    """`CHATKIT_ASSISTANT_URL`: the shop's MCP server. Without it, one is started here."""
