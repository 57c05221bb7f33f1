"""The text in files: encodings, Office files, and a process that bounds what a file may cost."""
