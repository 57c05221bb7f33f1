"""Speech to text: recordings, providers, dictation."""
