"""The API for writing an assistant: tools, actions, documents, entities and widgets.

An assistant imports from here, and what imports a large library from its own module:
`.routes` (FastAPI) and `.converter` (the Agents SDK). The other modules are internal.
"""

from ..errors import ActionError
from ..llm.demo_script import DemoRule, DemoScript
from ..marks import as_data
from ..mcp.servers import McpServer, SecretName, TokenExchange
from .actions import ActionRun, Handover, Redraw, action
from .assistant import Assistant, modules_in, short_title
from .documents import Document, Documents
from .entities import Entity, entity_source
from .settings import AssistantSettings
from .thread_data import ThreadData
from .tools import Tool, tool
from .turn import Turn
from .widgets import Widget, offers

__all__ = [
    "ActionError",
    "ActionRun",
    "Assistant",
    "AssistantSettings",
    "DemoRule",
    "DemoScript",
    "Document",
    "Documents",
    "Entity",
    "Handover",
    "McpServer",
    "Redraw",
    "SecretName",
    "ThreadData",
    "TokenExchange",
    "Tool",
    "Turn",
    "Widget",
    "action",
    "as_data",
    "entity_source",
    "modules_in",
    "offers",
    "short_title",
    "tool",
]
