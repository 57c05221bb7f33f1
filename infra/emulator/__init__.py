"""AWS Lambda on loopback: a Runtime API, execution environments, Function URLs, an edge.

It behaves as AWS documents it, limits and bad manners included, so that a bundle
which works here has met what it will meet there. `python -m infra.emulator`
serves the whole project from its built bundles (`make lambda`).
"""
