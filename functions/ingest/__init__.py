"""The fourth function: reads documents under `knowledge/`, and puts their passages in the index."""
