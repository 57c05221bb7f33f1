"""Other people's tools: which MCP servers there are (`.servers`), and connections (`.connections`).

Importing these imports neither `mcp` nor the Agents SDK.
"""
