"""Runs an ASGI app inside AWS Lambda and streams what it sends, chunk by chunk.

The `bootstrap` wrapper beside this file starts it with `python -m`; see README.md. It imports the
standard library and, for SnapStart's hooks, `snapshot_restore_py`: nothing of this project.
"""
