"""The second function: widget actions, voice, cancelling a run, and events from AWS."""
