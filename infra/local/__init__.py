"""`make dev`: the whole product on this machine."""
