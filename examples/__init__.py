"""Assistants to start from: `make dev ASSISTANT=examples.minimal`."""
