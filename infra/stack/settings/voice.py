"""Whether speech is turned into text, and by whom."""

from pydantic import Field

from infra.stack.settings.group import SettingsGroup


class VoiceSettings(SettingsGroup):
    voice: bool | None = Field(
        None,
        description="Dictation and voice notes. By default they are on with `provider=openai`, "
        "`provider=gemini` or `transcriptionBaseUrl`. `true` turns them on for a compatible "
        "endpoint that transcribes too; `false` turns them off.",
    )
    transcription_base_url: str | None = Field(
        None,
        pattern=r"^https://\S+$",
        description="Address of a server with OpenAI's `/audio/transcriptions`, such as whisper. "
        "It transcribes instead of the model's provider.",
    )
    transcription_model: str | None = Field(
        None, description="Name of the model that transcribes. Each provider has a default."
    )
    transcription_secret: str | None = Field(
        None,
        description="Name or ARN of an existing secret with the key of `transcriptionBaseUrl`, "
        "if that server asks for one.",
    )
