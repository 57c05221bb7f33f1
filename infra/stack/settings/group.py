"""What the groups of settings have in common."""

from typing import Annotated, Any, Final

from pydantic import AliasGenerator, BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from functions.settings import Settings, parsed_json

FUNCTIONS: Final = Settings.model_fields
"""The functions' own settings, whose defaults are those of the stage."""

JsonObject = Annotated[dict[str, Any], BeforeValidator(parsed_json)]
"""An object, or its JSON as text, which `-c` gives."""


class SettingsGroup(BaseModel):
    """The settings of one subject. `cdk.json` and `-c` name them in camel case."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(alias=to_camel),
        populate_by_name=True,
        extra="forbid",
        frozen=True,
    )
