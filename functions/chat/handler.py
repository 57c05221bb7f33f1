"""What `functions.lambda_stream` runs: the app, made once for each environment."""

from functions.chat.app import create_app

app = create_app()
