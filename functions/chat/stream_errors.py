"""What the page shows when an answer fails after it has begun."""

import openai
from agents import MaxTurnsExceeded
from chatkit.errors import CustomStreamError

from ..errors import PublicError
from ..llm.failure import in_words
from ..toolkit.guardrails import GuardrailTripped


def stream_error(error: Exception) -> CustomStreamError | None:
    """The error as the page shows it; None for a fault, for which ChatKit has its own message."""
    match error:
        case GuardrailTripped():
            return CustomStreamError(error.message, allow_retry=error.failed)
        case PublicError():
            return CustomStreamError(error.message)
        case MaxTurnsExceeded():
            return CustomStreamError(
                "This took more steps than allowed. Try to ask for less at once.", allow_retry=True
            )
        case openai.APIError():
            return in_words(error)
    return None
