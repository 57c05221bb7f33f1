"""The CDK constructs of one stage."""
