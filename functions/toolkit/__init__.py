"""The API for writing an assistant: tools, actions, documents, entities and widgets.

An assistant imports from here, and what imports a large library from its own module:
`.routes` (FastAPI) and `.converter` (the Agents SDK). Its tests import `.testing`. The other
modules are internal.
"""

from ..errors import ActionError
from ..llm.demo_script import DemoRule, DemoScript
from ..marks import as_data
from ..mcp.servers import McpServer, SecretName, TokenExchange
from .actions import ActionRun, Handover, Redraw, action
from .approvals import Approval
from .assistant import Assistant, modules_in, short_title
from .documents import Document, Documents, ThreadData
from .entities import Entity, entity_source
from .guardrails import AskModel, BedrockGuardrail, Guardrail, Moderation, Rules
from .knowledge import search_knowledge
from .settings import AssistantSettings
from .tools import Tool, tool
from .turn import Turn
from .widgets import Widget, offers

__all__ = [
    "ActionError",
    "ActionRun",
    "Approval",
    "AskModel",
    "Assistant",
    "AssistantSettings",
    "BedrockGuardrail",
    "DemoRule",
    "DemoScript",
    "Document",
    "Documents",
    "Entity",
    "Guardrail",
    "Handover",
    "McpServer",
    "Moderation",
    "Redraw",
    "Rules",
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
    "search_knowledge",
    "short_title",
    "tool",
]
