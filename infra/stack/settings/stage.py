"""The stage: its name and place, who deploys it, and what it keeps."""

from pydantic import Field

from infra.stack.settings.group import SettingsGroup


class StageSettings(SettingsGroup):
    stage: str = Field(
        "dev",
        pattern=r"^[a-z][a-z0-9-]{0,19}$",
        description="Name of the stage. The stack is `chatkit-<stage>`; stages share nothing.",
    )
    region: str | None = Field(
        None,
        pattern=r"^[a-z]{2}(-[a-z]+)+-\d$",
        description="Region of the stack. By default it is `AWS_REGION`, then the AWS profile's "
        "region.",
    )
    github_repository: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$",
        description="`owner/name` of the repository whose GitHub Actions may deploy this stage, "
        "without a key, from an environment that is called like the stage. See "
        "[Deploy from GitHub](#deploy-from-github).",
    )
    deletion_protection: bool = Field(
        False,
        description="Keep the table, the files, the keys, the secrets and the user pool when the "
        "stack is destroyed, and refuse to delete the table, the pool and the stack. Turn it on "
        "for people's data.",
    )
    restored_table: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.-]{3,255}/stream/[0-9T:.-]+$",
        description="Name and stream of a table that `make restore` has made, as it prints them. "
        "The stage uses this one, and the stack's own stays as it is (docs/restore.md).",
    )
