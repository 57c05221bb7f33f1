"""The CDK constructs of one stage, and its settings."""
