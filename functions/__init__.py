"""Everything that ships to Lambda, and nothing else."""

VERSION = "0.1.0"
