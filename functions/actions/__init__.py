"""The second function: widget actions, voice, and cancelling a run."""
