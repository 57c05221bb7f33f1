"""A shop whose tools are those of an MCP server. The assistant has none of its own."""

import logging
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from functions.toolkit import Assistant, DemoRule, DemoScript, McpServer, Turn

from .own_server import OwnServer
from .settings import ShopSettings

if TYPE_CHECKING:
    from agents import Agent

logger = logging.getLogger(__name__)


class Shop(Assistant):
    url: str | None = None
    """The address of the shop's MCP server."""

    def __init__(self) -> None:
        super().__init__()
        self._own = OwnServer()

    async def start_up(self) -> None:
        self.url = ShopSettings().url
        if self.url is not None:
            return
        if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
            logger.error("CHATKIT_ASSISTANT_URL is not set: the shop has no server")
            return
        self.url = await self._own.start()

    async def shut_down(self) -> None:
        await self._own.end()

    def agent_for(self, turn: Turn) -> "Agent[Turn]":  # noqa: ARG002
        from agents import Agent

        return Agent(
            name="Shop",
            instructions="You sell tea. Look things up in the shop before you speak of them.",
        )

    async def mcp_servers(self, turn: Turn) -> Sequence[McpServer]:
        """The shop, which gets to know who asks. What changes something needs their approval."""
        if self.url is None:
            return turn.mcp_servers
        headers = {"x-customer": turn.request_context.user_id}
        shop = McpServer(name="shop", url=self.url, headers=headers, approve="changes")
        return [*turn.mcp_servers, shop]

    def demo(self) -> DemoScript:
        """What the offline demo does, without a key."""
        return DemoScript(
            hint="Ask for tea.",
            rules=(
                DemoRule("mcp_shop__add_to_basket", r"(\d+) (\w+) .*basket", _quantity),
                DemoRule("mcp_shop__order", r"\border\b"),
                DemoRule("mcp_shop__stock", r"many (\w+)", _item),
                DemoRule("mcp_shop__find", r"\b(tea|kettle)s?\b", _words),
            ),
        )


def _quantity(found: re.Match[str]) -> dict[str, object]:
    return {"item": found[2].lower(), "quantity": int(found[1])}


def _item(found: re.Match[str]) -> dict[str, object]:
    return {"item": found[1].lower()}


def _words(found: re.Match[str]) -> dict[str, object]:
    return {"words": found[1].lower()}


assistant = Shop()
