"""The streaming function: every ChatKit operation, and how a message is answered."""
