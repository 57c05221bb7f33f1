"""The function that reads documents and indexes them. It has no URL."""
