"""What a person may mention with @: their own contacts, tasks and notes."""

from typing import Any

from .documents import AssistantData

MAX_ENTITIES = 20


async def search_entities(query: str, data: AssistantData) -> list[dict[str, Any]]:
    """Up to 20 entities whose title has `query` in it (any case), as ChatKit shapes them.

    An empty query lists the first ones. Their `data` comes back with the message
    that mentions them.
    """
    wanted = query.strip().casefold()
    found = [*await _contacts(data), *await _tasks(data), *await _notes(data)]
    return [entity for entity in found if wanted in entity["title"].casefold()][:MAX_ENTITIES]


async def _contacts(data: AssistantData) -> list[dict[str, Any]]:
    return [
        {
            "id": f"contact_{contact.id}",
            "title": contact.name,
            "icon": "user",
            "group": "Contacts",
            "interactive": True,
            "data": {"type": "contact", "email": contact.email, "note": contact.note},
        }
        for contact in await data.contacts()
    ]


async def _tasks(data: AssistantData) -> list[dict[str, Any]]:
    return [
        {
            "id": f"task_{task.id}",
            "title": task.title,
            "icon": "check",
            "group": "Tasks",
            "interactive": True,
            "data": {"type": "task", "done": "yes" if task.done else "no"},
        }
        for task in await data.tasks()
    ]


async def _notes(data: AssistantData) -> list[dict[str, Any]]:
    return [
        {
            "id": f"note_{note.id}",
            "title": note.title,
            "icon": "notebook",
            "group": "Notes",
            "interactive": True,
            "data": {"type": "note", "text": note.text[:500]},
        }
        for note in await data.notes()
    ]
