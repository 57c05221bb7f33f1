"""The pages of an export for people: plain HTML without scripts, which works from a folder."""

import json
from html import escape
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

IMAGES: Final = (".png", ".jpg", ".jpeg", ".gif", ".webp")
"""Endings of files that a browser shows."""

WHO: Final = {
    "user_message": "You",
    "assistant_message": "Assistant",
    "generated_image": "Image by the assistant",
    "client_tool_call": "Something that the page did",
    "widget": "Card",
    "workflow": "Steps of the assistant",
    "task": "Step of the assistant",
    "structured_input": "Questions of the assistant",
    "hidden_context_item": "Kept for the assistant, not shown in the chat",
    "sdk_hidden_context": "Kept for the assistant, not shown in the chat",
    "end_of_turn": "End of the answer",
}
"""What an item is called, by its type."""

STYLE: Final = (
    "body{max-width:46rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 system-ui,sans-serif;"
    "color-scheme:light dark}"
    "article{margin:1.5rem 0;padding-left:1rem;border-left:3px solid #8888}"
    "p,pre{white-space:pre-wrap;overflow-wrap:anywhere}img{max-width:100%;height:auto}"
    "h2{font-size:1rem;margin:1.5rem 0 .25rem}article h2{margin:0}"
    "time{font-weight:normal;opacity:.75}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left}"
)
POLICY: Final = "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'"
"""Nothing of the text can run or load anything, whatever it says."""

Json = dict[str, Any]


def index_page(person: Json) -> str:
    """The first page, of `person.json`."""
    conversations = "\n".join(
        f'<li><a href="{_href(each["page"])}">{escape(each["title"] or "Without a title")}</a> '
        f"{_time(each['created_at'])}, {each['items']} items</li>"
        for each in person["conversations"]
    )
    files = "\n".join(f"<li>{_file(path, '')}</li>" for path in person["files"])
    used = "\n".join(
        f"<tr><td>{escape(name)}</td><td>{number:,}</td></tr>"
        for numbers in person["counters"]
        for name, number in sorted(numbers.items())
    )
    about = (
        f"<p>Everything that {escape(person['of'])} has of <code>{escape(person['user'])}</code>, "
        f'as of {_time(person["at"])}. For programs: <a href="person.json">person.json</a>.</p>'
    )
    body = ["<h1>Your data</h1>", about]
    if conversations:
        body.append(f"<h2>Conversations</h2>\n<ol>{conversations}</ol>")
    if files:
        body.append(f"<h2>Files</h2>\n<ul>{files}</ul>")
    if person["records"]:
        body.append(f"<h2>Kept by the assistant</h2>\n{_details(person['records'])}")
    if used:
        head = "<tr><th>limit and end of its time</th><th>used</th></tr>"
        body.append(f"<h2>Used of the limits</h2>\n<table>{head}{used}</table>")
    return _page("Your data", "\n".join(body))


def conversation_page(document: Json, root: str = "../") -> str:
    """One conversation. `root` leads to the folder of the export."""
    thread = document["thread"]
    title = thread.get("title") or "Without a title"
    thumbs = {each["item_id"]: each["kind"] for each in document["feedback"]}
    items = "\n".join(_item(item, thumbs, root) for item in document["items"])
    more = [
        f"<h2>{heading}</h2>\n{_details(document[name])}"
        for name, heading in (("records", "Kept by the assistant"), ("runs", "Answers"))
        if document[name]
    ]
    head = (
        f'<p><a href="{root}index.html">All conversations</a></p>\n<h1>{escape(title)}</h1>\n'
        f"<p>Began {_time(thread.get('created_at'))}.</p>"
    )
    return _page(title, "\n".join([head, items, *more]))


def _item(item: Json, thumbs: dict[str, str], root: str) -> str:
    kind = item.get("type", "")
    who = WHO.get(kind, kind.replace("_", " "))
    parts: list[str] = []
    if quoted := item.get("quoted_text"):
        parts.append(f"<blockquote>{_paragraph(quoted)}</blockquote>")
    content = item.get("content")
    for part in content if isinstance(content, list) else [content]:
        text = part.get("text") if isinstance(part, dict) else part
        if isinstance(text, str) and text:
            parts.append(_paragraph(text))
    for attachment in item.get("attachments") or []:
        path, name = attachment.get("file"), attachment.get("name") or "file"
        parts.append(f"<p>{_file(path, root, name) if path else escape(name)}</p>")
    image = item.get("image")
    if isinstance(image, dict) and str(image.get("url", "")).startswith("files/"):
        parts.append(_file(image["url"], root, "Image by the assistant"))
    if kind not in {"user_message", "assistant_message", "generated_image", "end_of_turn"}:
        parts.append(_details(item))
    if thumb := thumbs.get(item.get("id", "")):
        parts.append(f"<p>You gave this a thumb {'up' if thumb == 'positive' else 'down'}.</p>")
    body = "\n".join(parts)
    return f"<article><h2>{escape(who)} {_time(item.get('created_at'))}</h2>\n{body}</article>"


def _file(path: str, root: str, name: str | None = None) -> str:
    """A link to a file, and the picture when it is one."""
    href = _href(root + path)
    label = escape(name or PurePosixPath(path).name)
    if path.lower().endswith(IMAGES):
        return f'<a href="{href}"><img src="{href}" alt="{label}" loading="lazy"></a>'
    return f'<a href="{href}" download>{label}</a>'


def _details(content: Any) -> str:
    text = escape(json.dumps(content, ensure_ascii=False, indent=2))
    return f"<details><summary>Everything of it</summary><pre>{text}</pre></details>"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _time(moment: Any) -> str:
    if not isinstance(moment, str):
        return ""
    return f'<time datetime="{escape(moment)}">{escape(moment[:16].replace("T", " "))}</time>'


def _href(path: str) -> str:
    return escape(quote(path))


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
