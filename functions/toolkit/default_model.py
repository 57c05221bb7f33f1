"""The Agents SDK's own default model, which must not be taken for the chosen one."""

import os


def name_the_chosen_model() -> None:
    """Let an agent without a model have no settings of the SDK's default model.

    Other models refuse these (`reasoning`, `verbosity`). An agent takes them when it is made, so
    call this before the assistant is imported. The name stands for the model that the settings or
    the visitor chose.
    """
    os.environ.setdefault("OPENAI_DEFAULT_MODEL", "chosen-by-chatkit")
