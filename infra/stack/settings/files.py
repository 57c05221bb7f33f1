"""Which files people may attach."""

import re

from pydantic import Field, PositiveInt, field_validator

from functions.settings import Names
from infra.stack.settings.group import FUNCTIONS, SettingsGroup

_MIME_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/(\*|[a-z0-9][a-z0-9.+-]*)")


class FileSettings(SettingsGroup):
    attachment_max_bytes: PositiveInt = Field(
        FUNCTIONS["attachment_max_bytes"].default,
        le=100 * 1024 * 1024,
        description="Bytes of the largest file that can be attached. Files pass through the "
        "streaming function's memory, so larger files need more `chatMemory`.",
    )
    attachment_types: Names = Field(
        default_factory=lambda: list(
            FUNCTIONS["attachment_types"].get_default(call_default_factory=True)
        ),
        min_length=1,
        description="Types of files that can be attached, comma-separated; `text/*` is all text.",
    )

    @field_validator("attachment_types")
    @classmethod
    def _types(cls, types: list[str]) -> list[str]:
        for kind in types:
            if not _MIME_TYPE.fullmatch(kind):
                raise ValueError(f"{kind!r} is not a type such as image/png or text/*")
        return types
