"""The settings of one stage: what can be set, by subject, and what fits together."""

from infra.stack.settings.stack import StackSettings

__all__ = ["StackSettings"]
