"""`make eval`: asks the assistant questions, and checks what it answers."""
