"""The app that `functions.lambda_stream` runs, made once for each environment."""

from . import mcp_later

mcp_later.import_agents()  # first: any other import of the Agents SDK would load MCP

from .app import create_app  # noqa: E402

app = create_app()
