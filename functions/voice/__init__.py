"""Speech to text: recordings, the providers that transcribe them, and dictation."""
