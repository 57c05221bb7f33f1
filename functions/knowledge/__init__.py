"""What the assistant knows of documents: their passages, and how they are found."""
