"""What `functions.lambda_stream` runs: the app, made once for each environment."""

from functions import mcp_later

mcp_later.import_agents()  # before anything else does, and all of MCP with it

from functions.chat.app import create_app  # noqa: E402

app = create_app()
