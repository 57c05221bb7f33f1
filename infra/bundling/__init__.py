"""The steps of `infra.bundle`: sources, trimming, byte-code."""
