"""How `infra.bundle` makes what is uploaded to Lambda."""
