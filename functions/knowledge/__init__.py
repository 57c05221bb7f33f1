"""Documents that the assistant knows: their passages, and how they are found."""
