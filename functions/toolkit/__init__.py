"""The API for writing an assistant: tools, actions, documents, entities and widgets.

An assistant imports from here. The modules of this package are internal.
"""

from ..errors import ActionError
from ..llm.demo_script import DemoRule, DemoScript
from .actions import ActionRun, Handover, Redraw, action
from .assistant import Assistant, modules_in, short_title
from .documents import Document, Documents
from .entities import Entity, entity_source
from .tools import Tool, tool
from .turn import Turn
from .widgets import Widget, offers

__all__ = [
    "ActionError",
    "ActionRun",
    "Assistant",
    "DemoRule",
    "DemoScript",
    "Document",
    "Documents",
    "Entity",
    "Handover",
    "Redraw",
    "Tool",
    "Turn",
    "Widget",
    "action",
    "entity_source",
    "modules_in",
    "offers",
    "short_title",
    "tool",
]
