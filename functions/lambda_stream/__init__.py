"""Runs an ASGI app inside AWS Lambda and streams what it sends, chunk by chunk.

Started as `python -m functions.lambda_stream` by the `bootstrap` wrapper beside
this file; see README.md. Imports the standard library and, for SnapStart's
hooks, `snapshot_restore_py`: nothing of this project.
"""
