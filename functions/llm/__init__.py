"""Which model answers: of OpenAI, Gemini, Amazon Bedrock, Azure OpenAI, any compatible endpoint,
or the offline demo.
"""

from .choice import ModelChoice, build, choose
from .demo_script import HOW_TO_GET_A_REAL_ONE, DemoScript

__all__ = ["HOW_TO_GET_A_REAL_ONE", "DemoScript", "ModelChoice", "build", "choose"]
