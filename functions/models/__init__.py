"""Which model answers: OpenAI, Gemini, any compatible endpoint, or the offline demo."""

from functions.models.choice import HOW_TO_GET_A_REAL_ONE, ModelChoice, build, choose

__all__ = ["HOW_TO_GET_A_REAL_ONE", "ModelChoice", "build", "choose"]
