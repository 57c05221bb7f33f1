"""Which assistant answers, and its own settings."""

from pydantic import Field, field_validator

from infra.assistant_package import assistant_package
from infra.stack.settings.group import JsonObject, SettingsGroup


class AssistantSettings(SettingsGroup):
    assistant: str | None = Field(
        None,
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$",
        description="Module of the assistant, such as `examples.support`. Its package is packed "
        "with what its `requirements.txt` names. By default it is the one in "
        "`functions/assistant`.",
    )
    assistant_settings: JsonObject = Field(
        default_factory=dict,
        description="The assistant's own settings as JSON, such as "
        '`{"API_URL": "https://example.com"}` for `CHATKIT_ASSISTANT_API_URL`. No secrets.',
    )

    @field_validator("assistant")
    @classmethod
    def _assistant_exists(cls, module: str | None) -> str | None:
        if module is not None and assistant_package(module) is None:
            raise ValueError(f"there is no {module} in this repository")
        return module
