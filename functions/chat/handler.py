"""What `functions.lambda_stream` runs: the app, made once for each environment."""

from . import mcp_later

mcp_later.import_agents()  # before anything else does, and all of MCP with it

from .app import create_app  # noqa: E402

app = create_app()
