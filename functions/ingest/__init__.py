"""Documents become passages, and passages the index: what the bucket's events of `knowledge/` do."""
