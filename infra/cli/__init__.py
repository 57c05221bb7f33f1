"""What `make synth`, `deploy`, `destroy` and `secret` run."""
