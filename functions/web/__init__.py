"""HTTP: requests, responses, errors, and who is asking."""
