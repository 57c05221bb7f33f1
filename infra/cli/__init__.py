"""The commands behind `make synth`, `deploy`, `destroy`, `bootstrap` and `secret`, and for docs."""
