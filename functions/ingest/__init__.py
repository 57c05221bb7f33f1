"""Documents become passages, and passages the index: the events of the bucket's `knowledge/`."""
