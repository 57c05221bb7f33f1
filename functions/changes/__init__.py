"""The function that tells what has changed in the table: who counts it, and who publishes it."""
