"""One file for each feature: its model, documents, tools, actions and mention source together.

A file that is put here belongs to the assistant; deleting it, with its `.widget`, removes the
feature.
"""
