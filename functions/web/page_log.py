"""What a page may write to the log: names, codes and counts.

A value with spaces or other signs may be what somebody wrote, and is not logged. A single word is
logged as it is, so a page must not put typed text into `detail`.
"""

import json
import logging
import re
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

logger = logging.getLogger(__name__)

EACH_A_MINUTE = 60
"""Events of one visitor. Visitors who are not known yet count as one."""
TOTAL_A_MINUTE = 300
"""Events of all visitors together, for each process."""

MAX_NUMBER = 2**53
"""JavaScript's own whole numbers end here."""

_NAME = re.compile(r"[\w.:/-]{1,120}", re.ASCII)

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,50}$")]
Number = Annotated[int, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]


class PageEvent(BaseModel):
    """An event that the page reports, such as an error."""

    level: Literal["error", "warning", "info"]
    event: str = Field(max_length=100, pattern=r"^[\w.:/ -]+$")
    detail: dict[Key, bool | Number | float | str | None] = Field(
        default_factory=dict, max_length=20
    )


def write(event: PageEvent) -> None:
    """Log the event. A value that is no name or number may be somebody's words, so only its length
    is logged.
    """
    detail = {key: _without_words(value) for key, value in event.detail.items()}
    level = logging.getLevelNamesMapping()[event.level.upper()]
    logger.log(level, "page: %s %s", event.event, json.dumps(detail))


def _without_words(value: object) -> object:
    if not isinstance(value, str) or _NAME.fullmatch(value):
        return value
    return f"{len(value)} characters"
