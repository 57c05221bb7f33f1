"""What the cold start of the events function imports."""

import subprocess
import sys

WEB_AND_MODELS = {"fastapi", "starlette", "uvicorn", "mangum", "agents", "openai"}
OURS = {
    f"functions.{name}"
    for name in ("services", "web", "assistant", "toolkit", "server", "llm", "voice")
}


def test_it_imports_no_web_framework_no_model_sdk_and_no_assistant():
    code = "import sys, functions.events.handler; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "functions.store" in loaded
    assert not loaded & (WEB_AND_MODELS | OURS)
