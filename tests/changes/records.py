"""Records of the table's stream, as a Lambda event has them."""


def stream_record(key, old, new, number):
    """The record of a write that has replaced the row `old` by `new`; `None` where there is none.

    `number` makes its sequence number and its globally unique id.
    """
    name = "REMOVE" if new is None else "INSERT" if old is None else "MODIFY"
    images = {"OldImage": old, "NewImage": new}
    return {
        "eventID": f"event-{number}",
        "eventName": name,
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": key,
            "SequenceNumber": str(number),
            **{image: key | row for image, row in images.items() if row is not None},
        },
    }
