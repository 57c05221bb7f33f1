"""The fourth function: what has changed in the table is counted, and published. It has no URL."""
