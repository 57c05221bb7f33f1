"""What tests of limits over HTTP have in common."""

from concurrent.futures import ThreadPoolExecutor

from functions import aws
from functions.settings import get_settings
from tests.support.chat import message

RUN = {"x-chatkit-run-id": "again"}
"""The headers of a request that is sent again."""


def rows():
    """Everything in the table."""
    pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName=get_settings().table)
    return [row for page in pages for row in page["Items"]]


def remove_counters():
    """Begin anew: the stage's counters are those of all tests that share its table."""
    for row in rows():
        if row["sk"]["S"] == "COUNTERS":
            key = {"pk": row["pk"], "sk": row["sk"]}
            aws.client("dynamodb").delete_item(TableName=get_settings().table, Key=key)


def counted(scope="L#stage#0"):
    """The numbers of a row of counters by the names of their measures, without the holds."""
    return {
        name.split(":")[0]: int(value["N"])
        for row in rows()
        if row["pk"]["S"].startswith(scope) and row["sk"]["S"] == "COUNTERS"
        for name, value in row.items()
        if name.count(":") == 1
    }


def at_once(times, request):
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(request, range(times)))


def says(chat):
    """A request whose text and status are read whole."""
    return chat.post("threads.create", input=message("hi"))


def used(chat):
    return {
        each["limit"]: each["used"] for each in chat.http.get("/chatkit/usage").json()["limits"]
    }
