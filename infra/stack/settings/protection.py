"""What protects people's data, and how long it is kept."""

from typing import Literal

from pydantic import Field, PositiveInt

from infra.stack.settings.group import SettingsGroup


class ProtectionSettings(SettingsGroup):
    waf: bool = Field(
        False,
        description="A web ACL in us-east-1: a rate rule and AWS's common rules.",
    )
    waf_rate_limit: int = Field(
        1000, ge=10, description="Requests of one address in five minutes, with `waf`."
    )
    isolation: Literal["none", "session"] = Field(
        "none",
        description="A second wall between people: with `session` the functions reach rows and "
        "files only by a role whose session names the owner of the request, and AWS refuses "
        "everything else (docs/architecture.md). It costs a request to STS for each person whom an "
        "environment of a function does not know.",
    )
    kms: bool = Field(
        False,
        description="A KMS key of your own for the table, the files and the secrets. Set it "
        "before the first deploy: a table's key can change, but files keep the one they have.",
    )
    retention_days: PositiveInt | None = Field(
        None,
        description="Days that a thread is kept after its last activity. By default it is kept "
        "for ever.",
    )
    file_versions: int | None = Field(
        None,
        ge=1,
        le=365,
        description="Days that the bucket keeps files that were removed or replaced, so that "
        "`make restore` can bring them back. By default none: what is deleted is gone. The "
        "table's point-in-time recovery reaches back 35 days.",
    )
