"""One file for each feature, with its models, documents, tools, actions and mention source.

Every file here belongs to the assistant. To remove a feature, delete its file and its `.widget`.
"""
