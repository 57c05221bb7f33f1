"""Everything around the functions: the CDK app, the bundles, `make`'s commands, the local cloud."""
