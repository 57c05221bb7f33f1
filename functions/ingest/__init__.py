"""Documents become passages, and passages the index: what the events of `knowledge/` do."""
