"""The Lambda handler that deletes the vector bucket's indexes, when its stack is deleted.

CloudFormation calls it for a custom resource, and waits until the answer is put to an address of
the event:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

import json
import logging
from typing import Any, Final
from urllib.request import Request, urlopen

from .. import telemetry
from ..aws.clients import client

telemetry.configure()
logger = logging.getLogger(__name__)

ANSWER_TIMEOUT: Final = 30

Event = dict[str, Any]


def handler(event: Event, context: Any) -> None:  # noqa: ARG001 - Lambda calls it so
    """Delete the indexes of `VectorBucket` where the event asks for it, and answer.

    A failure is an answer, too: without one CloudFormation would wait for an hour.
    """
    answer = {
        "Status": "SUCCESS",
        "PhysicalResourceId": event.get("PhysicalResourceId", "indexes"),
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    if event["RequestType"] == "Delete":
        try:
            delete_indexes(event["ResourceProperties"]["VectorBucket"])
        except Exception as error:
            logger.exception("the indexes were not deleted")
            answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: see the log"}
    _put(event["ResponseURL"], json.dumps(answer).encode())


def delete_indexes(bucket: str) -> None:
    """Delete all indexes of a vector bucket. One request for each, and one for each hundred."""
    vectors = client("s3vectors")
    pages = vectors.get_paginator("list_indexes").paginate(vectorBucketName=bucket)
    names = [index["indexName"] for page in pages for index in page["indexes"]]
    for name in names:
        vectors.delete_index(vectorBucketName=bucket, indexName=name)


def _put(address: str, body: bytes) -> None:
    # The link is signed without a type, and urllib would add one.
    request = Request(address, data=body, method="PUT", headers={"content-type": ""})  # noqa: S310 - AWS's own
    with urlopen(request, timeout=ANSWER_TIMEOUT):  # noqa: S310
        pass
