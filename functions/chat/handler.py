"""What `functions.lambda_stream` runs: the app, made once for each environment."""

from functions import mcp_later

mcp_later.install()  # before the Agents SDK is imported

from functions.chat.app import create_app  # noqa: E402

app = create_app()
