"""How the functions run: their memory and time, how many of them, and their logs."""

from typing import Literal

from pydantic import Field, field_validator

from infra.stack.settings.group import SettingsGroup


class FunctionSettings(SettingsGroup):
    architecture: Literal["arm64", "x86_64"] = Field(
        "arm64", description="CPU of the functions. AWS charges less for arm64."
    )
    streaming: Literal["native", "web-adapter"] = Field(
        "native",
        description="How answers stream: our own runtime loop, or AWS Lambda Web Adapter's layer.",
    )
    snap_start: bool = Field(
        False,
        description="Start from a snapshot: shorter cold starts, and the snapshot is billed as "
        "long as it is kept (docs/costs.md). The events function has none: nobody waits for it.",
    )
    chat_memory: int = Field(
        1769,
        ge=512,
        le=10240,
        description="MB for the streaming function. 1,769 MB is one whole CPU, which the imports "
        "of a cold start use.",
    )
    chat_timeout: int = Field(
        300,
        ge=60,
        le=900,
        description="Seconds for one answer. The run is ended 10 s before, with what there is.",
    )
    chat_concurrency: int = Field(
        20,
        ge=0,
        le=1000,
        description="Largest number of answers at one time (reserved concurrency). 0 reserves "
        "none, which an account whose limit is still 10 needs.",
    )
    actions_memory: int = Field(1024, ge=256, le=10240, description="MB for the actions function.")
    actions_timeout: int = Field(
        60,
        ge=10,
        le=300,
        description="Seconds for one action or one transcription.",
    )
    actions_concurrency: int = Field(
        10,
        ge=0,
        le=1000,
        description="Largest number of actions at one time (reserved concurrency). 0 reserves "
        "none.",
    )
    events_concurrency: int = Field(
        10,
        ge=0,
        le=1000,
        description="Largest number of events (uploads to check, deleted threads to purge) that "
        "are handled at one time (reserved concurrency); further ones wait. 0 reserves none.",
    )
    log_retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] = (
        Field(30, description="Days that logs are kept.")
    )
    log_level: Literal["DEBUG", "INFO", "WARN", "ERROR"] = Field(
        "INFO", description="Lowest level that the functions log."
    )

    @field_validator("log_retention_days", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        # `-c` gives strings, and a Literal of numbers does not convert them.
        return int(value) if isinstance(value, str) and value.isdigit() else value
