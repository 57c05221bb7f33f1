"""What a record of the table's stream says has happened, as domain events.

Everything comes from the record itself: nothing is read, and the same record always gives the same
events.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

from ..aws.keys import digest
from ..run_record import RunRecord
from ..store import keys
from . import domain_events as events
from .changes import Record
from .domain_events import DomainEvent

BY_TTL = "dynamodb.amazonaws.com"
"""Who removed a row that TTL has removed:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html"""


class Happened:
    """One record. Raises `KeyError` and its like for one that is not as this project writes it."""

    def __init__(self, record: Record, stage: str) -> None:
        change = record["dynamodb"]
        self.sequence = str(change["SequenceNumber"])
        self.name: str = record["eventName"]
        self.by_ttl = record.get("userIdentity", {}).get("principalId") == BY_TTL
        self.partition: str = change["Keys"]["pk"]["S"]
        self.sort: str = change["Keys"]["sk"]["S"]
        self.old: dict[str, Any] = change.get("OldImage", {})
        self.new: dict[str, Any] = change.get("NewImage", {})
        self._at = _time(change.get("ApproximateCreationDateTime"))
        self._stage = stage

    def events(self) -> Iterator[DomainEvent]:
        """The events, none for most records."""
        of_thread = "#T#" in self.partition
        match self.name, self.sort.partition("#")[0]:
            case "INSERT", "HEAD" if "position" in self.new:  # moto inserts the key alone first
                yield events.ThreadCreated(**self._of_thread("thread.created"))
            case "INSERT", "TOMBSTONE" if of_thread:
                yield events.ThreadDeleted(**self._of_thread("thread.deleted"))
            case "INSERT", "ITEM" if self.new.get("type", {}).get("S") == "user_message":
                yield events.MessageReceived(
                    **self._of_thread("message.received"), message=self.new["id"]["S"]
                )
            case "INSERT", "ENDED":
                yield from self._of_run(RunRecord.model_validate_json(self.new["body"]["S"]))
            case "INSERT", "ATT" if of_thread:
                yield self._file()
            case (("INSERT" | "MODIFY"), "FB"):
                yield from self._feedback()
            case (("INSERT" | "MODIFY"), "DOC"):
                yield from self._document()
            case "REMOVE", "DOC":
                yield events.DocumentRemoved(**self._of_document("document.removed", self.old))
            case "INSERT", "DELETED":
                yield events.PersonDeleted(**self._of_person("person.deleted"))
            case "REMOVE", "THREAD" if self.by_ttl:
                thread = _named(self.sort.removeprefix(keys.THREAD))
                of = self._of_person("thread.expired")
                yield events.ThreadExpired(**of, thread=thread, sequence=None)

    def _of(self, kind: str, index: int = 0) -> dict[str, Any]:
        """The fields of every event. No two changes of a row have the same sequence number."""
        what = "\n".join([self.partition, self.sort, self.sequence, kind, str(index)])
        identity = sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return {"id": identity, "at": self._at, "stage": self._stage}

    def _of_person(self, kind: str, index: int = 0) -> dict[str, Any]:
        return {**self._of(kind, index), "owner": digest(keys.user_of(self.partition))}

    def _of_thread(self, kind: str, index: int = 0) -> dict[str, Any]:
        thread = _named(self.partition.rpartition("#T#")[2])
        return {**self._of_person(kind, index), "thread": thread, "sequence": self.sequence}

    def _of_run(self, run: RunRecord) -> Iterator[DomainEvent]:
        if run.action is not None:
            yield events.ActionEnded(
                **self._of_thread("action.ended"),
                run=run.run_id,
                action=run.action,
                outcome=run.outcome,
                error=run.error,
            )
        if run.action is None or run.message_id is not None:
            yield self._answer(run)
        for index, call in enumerate(run.tools):
            yield events.ToolCalled(
                **self._of_thread("tool.called", index),
                run=run.run_id,
                tool=call.name,
                outcome=call.outcome,
                duration_ms=call.ms,
            )

    def _answer(self, run: RunRecord) -> DomainEvent:
        told = {
            **self._of_thread("answer"),
            **run.model_dump(include=events.Answer.model_fields.keys() - {"id", "at"}),
            "run": run.run_id,
            "message": run.message_id,
        }
        match run.outcome:
            case "completed":
                return events.AnswerCompleted(**told)
            case "waiting":
                return events.AnswerWaiting(**told)
            case "failed":
                return events.AnswerFailed(**told, error=run.error or "")
            case "stopped":
                return events.AnswerStopped(**told, stop=run.stop or "")

    def _file(self) -> DomainEvent:
        size = self.new.get("size", {}).get("N")
        return events.FileUploaded(
            **self._of_thread("file.uploaded"),
            file=_named(self.sort.removeprefix(keys.ATTACHMENT)),
            mime_type=self.new["type"]["S"],
            bytes=None if size is None else int(size),
        )

    def _feedback(self) -> Iterator[DomainEvent]:
        """Nothing when the same mark was given again, and when there was none to take back."""
        before, now = (row.get("kind", {}).get("S") for row in (self.old, self.new))
        if now == before:
            return
        item = self.new["item"]["S"]
        if now is None:
            yield events.FeedbackRemoved(**self._of_thread("feedback.removed"), item=item)
        else:
            yield events.FeedbackGiven(**self._of_thread("feedback.given"), item=item, kind=now)

    def _document(self) -> Iterator[DomainEvent]:
        """What the end of an ingestion says. Until then the state is `indexing`."""
        before, now = (row.get("state", {}).get("S") for row in (self.old, self.new))
        if now == before:
            return
        if now == "ready":
            yield events.DocumentIngested(
                **self._of_document("document.ingested", self.new),
                passages=int(self.new["passages"]["N"]),
            )
        elif now == "failed":
            yield events.DocumentFailed(
                **self._of_document("document.failed", self.new), error=self.new["error"]["S"]
            )

    def _of_document(self, kind: str, row: dict[str, Any]) -> dict[str, Any]:
        tenant = self.partition.removeprefix(keys.KNOWLEDGE)
        return {
            **self._of(kind),
            "document": self.sort.removeprefix(keys.DOCUMENT),
            "tenant": None if tenant == "@" else tenant,
            "path": row["path"]["S"],
        }


def _named(part: str) -> str:
    """The id that a key part was made from; a long one is its digest (`functions.aws.keys`)."""
    return part if part.startswith("!") else unquote(part)


def _time(moment: float | datetime | None) -> str:
    """The time of a record: Lambda gives Unix seconds, and boto3 a `datetime`."""
    if not isinstance(moment, datetime):
        moment = datetime.now(UTC) if moment is None else datetime.fromtimestamp(moment, UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
