"""The third function: events of the table's stream and of the bucket. It has no URL."""
