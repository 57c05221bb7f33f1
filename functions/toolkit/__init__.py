"""What an assistant is made of: tools, actions, documents, entities, widgets that last."""
