"""What several tests of constructs use: a small function, and what a bucket must be."""

ANYONE = {"AWS": "*"}


def denies_plain_http(policy):
    return any(
        s["Effect"] == "Deny"
        and s["Principal"] == ANYONE
        and s["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for s in policy["PolicyDocument"]["Statement"]
    )


def is_private(bucket):
    return set(bucket["PublicAccessBlockConfiguration"].values()) == {True} and (
        bucket["OwnershipControls"]["Rules"][0]["ObjectOwnership"] == "BucketOwnerEnforced"
    )


def a_function(stack, *, url=True, **given):
    """A small function, with a URL unless `url` is false."""
    from aws_cdk import aws_lambda as lambda_

    from infra.stack.function import ServiceFunction, UrlFunction

    mode = {"invoke_mode": lambda_.InvokeMode.RESPONSE_STREAM} if url else {}
    return (UrlFunction if url else ServiceFunction)(
        stack,
        given.pop("name", "F"),
        **{
            "description": "d",
            "code": lambda_.Code.from_inline("x"),
            "handler": "index.app",
            "architecture": "arm64",
            "memory": 512,
            "timeout": 60,
            "concurrency": 3,
            "environment": {"NAME": "1"},
            "layers": [],
            "snap_start": False,
            "log_level": "INFO",
            "log_retention_days": 7,
        }
        | mode
        | given,
    )
