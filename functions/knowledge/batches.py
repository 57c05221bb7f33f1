"""Requests for batches, a few at a time."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from ..aws.clients import together

Batch = TypeVar("Batch")
Result = TypeVar("Result")
Item = TypeVar("Item")


def batches(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    """The items in lists of `most`; the last one may be shorter."""
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == most:
            yield batch
            batch = []
    if batch:
        yield batch


async def at_once(
    most: int, send: Callable[[Batch], Awaitable[Result]], asked: Sequence[Batch]
) -> list[Result]:
    """The results of `send` for each batch, in their order, with `most` requests at a time.

    After an error no further one begins, and it is raised when those that have begun are done.
    """
    results: dict[int, Result] = {}
    waiting = iter(enumerate(asked))
    failed = False

    async def work() -> None:
        nonlocal failed
        for at, batch in waiting:
            if failed:
                return
            try:
                results[at] = await send(batch)
            except BaseException:
                failed = True
                raise

    await together(*(work() for _ in range(min(most, len(asked)))))
    return [results[at] for at in range(len(asked))]
