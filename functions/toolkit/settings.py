"""The base class of an assistant's own settings."""

from pydantic_settings import BaseSettings, SettingsConfigDict

from ..settings import ROOT


class AssistantSettings(BaseSettings):
    """Settings from the environment and from `.env` files, with the prefix `CHATKIT_ASSISTANT_`.

        class ShopSettings(AssistantSettings):
            api_url: str = "http://localhost:9000"  # CHATKIT_ASSISTANT_API_URL

    In AWS the stack sets them: `-c assistantSettings='{"API_URL": "https://…"}'`. Secrets do not
    belong there: name a secret, and read it with `read_secret` when a request needs it.
    """

    model_config = SettingsConfigDict(
        env_prefix="CHATKIT_ASSISTANT_",
        env_file=(ROOT / ".env", ROOT / ".env.local"),
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )
