"""The documents that the assistant answers from: `knowledge/` in the files bucket.

In `make dev` they are this project's own `docs/`. See docs/knowledge.md.
"""

from ...toolkit import search_knowledge

__all__ = ["search_knowledge"]
