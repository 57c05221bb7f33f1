"""Snapshots of threads as they were loaded or saved, so that saving writes only what changed.

A snapshot is stored on the thread instance, in its `__dict__` beside the fields: pydantic does not
serialize or compare it, because it is no field, and `model_copy` copies it. One case needs more:
the SDK saves a new thread as a copy, `ThreadMetadata(**thread.model_dump())`, and later saves the
`Thread` that it copied. So the snapshots of the last `MAX_REMEMBERED` created threads are also kept
by id. A `Thread` without any snapshot is compared with the empty thread that the SDK began with.
"""

import json
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

from chatkit.types import LockedStatus, Thread, ThreadMetadata
from pydantic import ValidationError
from pydantic_core import to_json

from .keys import Value
from .validation import check_finite, check_id, check_moment, input_errors

_SLOT: Final = "_chatkit_serverless_snapshot"
MAX_REMEMBERED: Final = 256
MAX_BYTES: Final = 150_000
"""Bytes of a thread's fields. With its index entry, a row must stay below DynamoDB's 400 KB."""

MAX_KEY: Final = 60_000
"""Bytes of a key in the metadata. An attribute's name in DynamoDB may have 64 KB."""

MAX_CHANGES: Final = 50
"""Changes in one update expression, which may have 4 KB and 300 operators."""

UNKNOWN_STATUS: Final = LockedStatus(reason="This conversation needs a newer version of the app.")
"""The status of a thread whose stored status only a newer ChatKit knows: it can only be read."""


Change = tuple[str, str, str | None]
"""A change: `fields` or `metadata`, the name in it, and the new JSON text (`None`: removed)."""


@dataclass(frozen=True)
class Snapshot:
    """A thread's fields and the values of its metadata, each as JSON text."""

    fields: dict[str, str]
    metadata: dict[str, str]

    @classmethod
    def of(cls, thread: ThreadMetadata) -> "Snapshot":
        fields = thread.model_dump(mode="json", exclude={"items", "metadata"})
        return cls(
            {name: json.dumps(value, ensure_ascii=False) for name, value in fields.items()},
            {name: to_json(value).decode() for name, value in thread.metadata.items()},
        )

    @classmethod
    def blank(cls, thread: ThreadMetadata) -> "Snapshot":
        """`thread` as the SDK created it: with an id and a time, and nothing else."""
        return cls.of(ThreadMetadata(id=thread.id, created_at=thread.created_at))

    @classmethod
    def checked(cls, thread: ThreadMetadata) -> "Snapshot":
        """The snapshot of a thread that may be stored.

        Raises `ValueError` for one that could not be read back, or that is too large.
        """
        if not isinstance(thread, ThreadMetadata):
            raise ValueError(f"not a thread: {type(thread).__name__}")  # noqa: TRY004 - bad input
        with input_errors(f"thread {thread.id!r}"):
            check_id(thread.id)
            check_moment(thread.created_at)
            check_finite(thread.metadata)
            snapshot = cls.of(thread)
            if any(not isinstance(name, str) for name in snapshot.metadata):
                raise ValueError("a key of its metadata is not text")
            if any(len(name.encode()) > MAX_KEY for name in snapshot.metadata):
                raise ValueError(f"too large: a key of its metadata is over {MAX_KEY} bytes")
            size = sum(
                len(name.encode()) + len(text.encode())
                for part in (snapshot.fields, snapshot.metadata)
                for name, text in part.items()
            )
            if size > MAX_BYTES:
                raise ValueError(
                    f"too large: its fields and metadata are {size} bytes, over {MAX_BYTES}"
                )
            snapshot.parsed(snapshot.fields)
        return snapshot

    @classmethod
    def from_row(cls, row: dict[str, Value]) -> "Snapshot":
        return cls(
            {name: value["S"] for name, value in row["fields"]["M"].items()},
            {name[1:]: value["S"] for name, value in row["metadata"]["M"].items()},
        )

    def attributes(self) -> dict[str, Value]:
        """The two map attributes of a row.

        A metadata key may be empty and an attribute's name may not, so each gets a `=` before it.
        """
        return {
            "fields": {"M": {name: {"S": text} for name, text in self.fields.items()}},
            "metadata": {"M": {f"={name}": {"S": text} for name, text in self.metadata.items()}},
        }

    def changes(self, after: "Snapshot") -> list[Change]:
        """The changes from this snapshot to `after`."""
        return [
            (part, name, new.get(name))
            for part, old, new in (
                ("fields", self.fields, after.fields),
                ("metadata", self.metadata, after.metadata),
            )
            for name in sorted(old.keys() | new.keys())
            if old.get(name) != new.get(name)
        ]

    def changed(self, changes: list[Change]) -> "Snapshot":
        """The snapshot with `changes` applied."""
        maps = {"fields": dict(self.fields), "metadata": dict(self.metadata)}
        for part, name, text in changes:
            maps[part].pop(name, None)
            if text is not None:
                maps[part][name] = text
        return Snapshot(**maps)

    def thread(self) -> ThreadMetadata:
        """The thread. A status that this version does not know becomes `UNKNOWN_STATUS`.

        Raises pydantic's `ValidationError` when it cannot read another field.
        """
        try:
            return self.parsed(self.fields)
        except ValidationError as error:
            if {each["loc"][:1] for each in error.errors()} != {("status",)}:
                raise
        return self.parsed({**self.fields, "status": UNKNOWN_STATUS.model_dump_json()})

    def parsed(self, fields: dict[str, str]) -> ThreadMetadata:
        metadata = ",".join(f"{json.dumps(name)}:{text}" for name, text in self.metadata.items())
        members = [f"{json.dumps(name)}:{text}" for name, text in fields.items()]
        body = ",".join([*members, f'"metadata":{{{metadata}}}'])
        return ThreadMetadata.model_validate_json(f"{{{body}}}")


@dataclass
class Snapshots:
    """The snapshots that one store took. It ignores the snapshots of other stores."""

    _token: str = field(default_factory=secrets.token_hex)
    _created: OrderedDict[tuple[str, str], Snapshot] = field(default_factory=OrderedDict)

    def keep(self, thread: ThreadMetadata, user: str, snapshot: Snapshot) -> None:
        thread.__dict__[_SLOT] = (self._token, user, thread.id, snapshot)

    def created(self, thread: ThreadMetadata, user: str, snapshot: Snapshot) -> None:
        """Keep the snapshot of a new thread, also by its id."""
        self.keep(thread, user, snapshot)
        self._created[user, thread.id] = snapshot
        self._created.move_to_end((user, thread.id))
        if len(self._created) > MAX_REMEMBERED:
            self._created.popitem(last=False)

    def find(self, thread: ThreadMetadata, user: str) -> Snapshot | None:
        """The snapshot of a thread that this store loaded or saved; `None` for an unknown one."""
        kept: Any = thread.__dict__.get(_SLOT)
        if kept and kept[:3] == (self._token, user, thread.id):
            snapshot: Snapshot = kept[3]
            return snapshot
        if isinstance(thread, Thread):
            return self._created.get((user, thread.id))
        return None
