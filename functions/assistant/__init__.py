"""The starter assistant. Yours to edit."""
