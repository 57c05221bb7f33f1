"""Everything around the functions: the CDK app, the bundles, and the programs that `make` runs."""
