"""A model that is forced to call a tool once for a message, and not again and again.

The Agents SDK takes a choice back after the first tool, unless the agent's author has set
`reset_tool_choice=False`. Then a tool by name, as a visitor picks it from the page's menu, would be
called until the run has no turns left.
"""

from dataclasses import replace
from typing import Any

from agents import ModelSettings

from .length import last_turn
from .wrapped import ModelInput, ModelWithOtherSettings


class ForceToolOnce(ModelWithOtherSettings):
    """Wraps a model. A tool that was called since the newest message is not forced again."""

    def changed(self, settings: ModelSettings, given: ModelInput) -> ModelSettings:
        turn: list[Any] = [] if isinstance(given, str) else [*last_turn(given)]
        called = [item.get("name") for item in turn if item.get("type") == "function_call"]
        return replace(settings, tool_choice=None) if settings.tool_choice in called else settings
