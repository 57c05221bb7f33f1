"""The messages that a visitor reads when the model cannot answer."""

import openai
from chatkit.errors import CustomStreamError

from .too_long import TOO_LONG, is_too_long

_WORDS: list[tuple[type[openai.APIError], str, bool]] = [
    # the error, its message, whether the visitor can retry; subclasses come first
    (openai.AuthenticationError, "The model's provider did not accept the API key.", False),
    (openai.PermissionDeniedError, "The model's provider does not allow this model here.", False),
    (openai.NotFoundError, "The model's provider does not know this model.", False),
    (openai.RateLimitError, "The model is busy. Try again in a moment.", True),
    (openai.BadRequestError, "The model's provider did not accept this request.", False),
    (openai.APIConnectionError, "The model cannot be reached right now.", True),
    (openai.APIError, "The model failed. Try again.", True),
]


def in_words(error: Exception) -> CustomStreamError | None:
    """The error that ChatKit shows; `None` when `error` did not come from the model."""
    if isinstance(error, openai.APIError) and is_too_long(error):
        return CustomStreamError(TOO_LONG, allow_retry=False)
    for kind, words, allow_retry in _WORDS:
        if isinstance(error, kind):
            return CustomStreamError(words, allow_retry=allow_retry)
    return None
