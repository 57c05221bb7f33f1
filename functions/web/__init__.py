"""HTTP: requests, responses, errors, and the visitor's identity."""
