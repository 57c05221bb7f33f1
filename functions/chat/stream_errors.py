"""What the page shows when an answer fails after it has begun."""

import logging

import openai
from agents import MaxTurnsExceeded
from chatkit.errors import CustomStreamError, StreamError

from ..errors import PublicError
from ..llm.failure import in_words
from ..toolkit.guardrails import GuardrailTripped
from ..web.run_id import FAULT, with_run

logger = logging.getLogger(__name__)


def stream_error(error: Exception, run_id: str) -> CustomStreamError | None:
    """The error as the page shows it. A fault is logged, and has the run's id in its text. None
    for an error that is the assistant's own words, or one of ChatKit's codes.

    A refusal says why, so it has no id: a limit, a guardrail, what the visitor may do instead.
    """
    match error:
        case CustomStreamError() | StreamError():
            return None
        case GuardrailTripped():
            return CustomStreamError(error.message, allow_retry=error.failed)
        case PublicError():
            return CustomStreamError(error.message)
        case MaxTurnsExceeded():
            shown = CustomStreamError(
                "This took more steps than allowed. Try to ask for less at once.", allow_retry=True
            )
        case openai.APIError() if (said := in_words(error)) is not None:
            shown = said
        case _:
            logger.error("the answer failed", exc_info=error)
            shown = CustomStreamError(FAULT, allow_retry=True)
    return CustomStreamError(with_run(shown.message, run_id), allow_retry=shown.allow_retry)
