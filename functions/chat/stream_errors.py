"""What the page shows when an answer fails after it has begun."""

import openai
from agents import (
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    OutputGuardrailTripwireTriggered,
)
from chatkit.errors import CustomStreamError

from ..errors import PublicError
from ..llm.failure import in_words


def stream_error(error: Exception) -> CustomStreamError | None:
    """The error as ChatKit shows it; None for a fault, which ChatKit shows in words of its own."""
    match error:
        case PublicError():
            return CustomStreamError(error.message)
        case MaxTurnsExceeded():
            return CustomStreamError(
                "This took more steps than allowed. Try to ask for less at once.", allow_retry=True
            )
        case InputGuardrailTripwireTriggered() | OutputGuardrailTripwireTriggered():
            return CustomStreamError("That is something I cannot help with here.")
        case openai.APIError():
            return in_words(error)
    return None
