"""Runs an ASGI app inside AWS Lambda and streams what it sends, chunk by chunk.

The `bootstrap` wrapper in this folder starts it with `python -m`; see README.md. It imports nothing
of this project: only the standard library and, for SnapStart's hooks, `snapshot_restore_py`.
"""
