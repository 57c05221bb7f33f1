"""What a person may mention with @: their own contacts, tasks and notes."""

from typing import Any

from functions.assistant.data import AssistantData

MOST = 20


async def search(query: str, data: AssistantData) -> list[dict[str, Any]]:
    """Up to 20 entities whose title has `query` in it (any case), as ChatKit shapes them.

    An empty query lists the first ones. Their `data` comes back with the message
    that mentions them.
    """
    wanted = query.strip().casefold()
    found = [*await _contacts(data), *await _tasks(data), *await _notes(data)]
    return [entity for entity in found if wanted in entity["title"].casefold()][:MOST]


async def _contacts(data: AssistantData) -> list[dict[str, Any]]:
    return [
        _entity(
            "contact",
            contact.id,
            contact.name,
            "user",
            "Contacts",
            {"email": contact.email, "note": contact.note},
        )
        for contact in await data.contacts()
    ]


async def _tasks(data: AssistantData) -> list[dict[str, Any]]:
    return [
        _entity("task", t.id, t.title, "check", "Tasks", {"done": "yes" if t.done else "no"})
        for t in await data.tasks()
    ]


async def _notes(data: AssistantData) -> list[dict[str, Any]]:
    return [
        _entity("note", note.id, note.title, "notebook", "Notes", {"text": note.text[:500]})
        for note in await data.notes()
    ]


def _entity(
    kind: str, entity_id: str, title: str, icon: str, group: str, data: dict[str, str]
) -> dict[str, Any]:
    return {
        "id": f"{kind}_{entity_id}",
        "title": title,
        "icon": icon,
        "group": group,
        "interactive": True,
        "data": {"type": kind, **data},
    }
