"""What the assistant knows: passages of documents, their index, and the search in it."""
