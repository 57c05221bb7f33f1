"""AWS Lambda on loopback: a Runtime API, execution environments, Function URLs, an edge.

It behaves as AWS documents it, with the same limits and the same surprising behaviour.
`python -m infra.emulator` (`make lambda`) serves the whole project from its built bundles.
"""
