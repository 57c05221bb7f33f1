"""The second function: widget actions, voice, cancelling a run, and events of AWS."""
