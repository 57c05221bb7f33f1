"""Sessions: the rights to one owner's rows and objects, for a deployment with `isolation=session`.

There the functions' own roles reach no row and no object of anybody. A data role does, and only
for the owner whom its session names in two tags: `owner` is the user as it stands in partition
keys, `folder` is the digest that the user's objects lie under. `infra/stack/data_role.py` has its
policy. Identity says once for each request for whom it acts, and `functions.aws.call` carries that
to its threads. So code that asks for another owner's row is refused by AWS.

All owners share one client for each service, with its connections. A request is signed with the
current owner's credentials, which are requested from STS when they are first needed:

- One request to STS for an owner whom this process does not know, however many calls wait for it,
  also when it fails; by the limits of `functions.aws.clients` it takes 21 s at most. It blocks its
  thread of the pool, so everything that signs runs in `functions.aws.call`, links included.
- A session lasts an hour. AWS allows no more to a role that is assumed by a role, as Lambda's are:
  https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
- It is renewed after half of it. So every session outlives the request that began with it (15
  minutes at most), and a signed link, which ends with the credentials that signed it, works for
  `RENEW_SECONDS` less the time that the request has taken:
  https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
- When a renewal fails, the credentials are used until shortly before they end.

Without a data role nothing of this is used, and STS is not asked.
"""

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any, Final, Self

import boto3
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    ReadOnlyCredentials,
)
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from ..settings import get_aws_settings
from . import clients
from .keys import digest

logger = logging.getLogger(__name__)

SESSION_SECONDS: Final = 3600
RENEW_SECONDS: Final = 1800
"""A session that lasts no longer than this is renewed."""
RETRY_SECONDS: Final = 30
"""After a renewal that failed, and before the end of a session that could not be renewed."""
MAX_OWNERS: Final = 1000
"""Sessions that are kept, some 2 KB each. The one that was not used for the longest time goes."""

OWNER_TAG: Final = "owner"
FOLDER_TAG: Final = "folder"

_FITS: Final = re.compile(r"[A-Za-z0-9_.\-]{1,256}")
"""What a key part and the value of a tag have in common. Tags also allow letters and digits of all
languages, spaces and `:/=+@`, which a key part percent-encodes, and no `%`, `!` or `~`:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html"""

_NOBODY: Final = "@nobody"
"""An owner with no rows: no key part has an `@`."""


class NoOwnerError(RuntimeError):
    """Rows or objects were asked for, and nobody has said for whom."""


@dataclass(frozen=True)
class Owner:
    """For whom code acts: the user's part of partition keys, and the folder of the objects."""

    user: str
    folder: str

    @classmethod
    def of(cls, user: str) -> Self:
        """The owner with this key part (`functions.aws.keys`).

        Raises `ValueError` when it cannot be the value of a session's tag.
        """
        if not _FITS.fullmatch(user):
            raise ValueError(
                "with isolation=session, a user's id has 1 to 256 letters, digits, '_', '-' or '.'"
            )
        return cls(user, digest(user))

    @classmethod
    def of_folder(cls, folder: str) -> Self:
        """The owner of the objects in a folder, whose rows are not reached."""
        return cls(_NOBODY, folder)


_acting: ContextVar[Owner | None] = ContextVar("owner", default=None)


def isolated() -> bool:
    return get_aws_settings().data_role is not None


def act_for(user: str) -> None:
    """Act for the user with this key part, in the current task and what it starts.

    Raises `ValueError` for a user who cannot own a session. Does nothing without a data role.
    """
    if isolated():
        _acting.set(Owner.of(user))


@contextmanager
def acting_for(user: str) -> Iterator[None]:
    """Act for the user with this key part, within the block: for an event, which names the user."""
    if not isolated():
        yield
        return
    with _acting_for(Owner.of(user)):
        yield


@contextmanager
def acting_for_folder(folder: str) -> Iterator[None]:
    """Act for the owner of a folder of the bucket: for an event that only names an object."""
    with _acting_for(Owner.of_folder(folder)):
        yield


@contextmanager
def _acting_for(owner: Owner) -> Iterator[None]:
    before = _acting.set(owner)
    try:
        yield
    finally:
        _acting.reset(before)


@dataclass
class _Session:
    credentials: ReadOnlyCredentials | None = None
    ends: float = 0.0
    renew_at: float = 0.0
    error: Exception | None = None
    failed_at: float = 0.0
    lock: Lock = field(default_factory=Lock)


class OwnerSessions:
    """The credentials of owners. `assume` requests those of one owner: an answer of AssumeRole."""

    def __init__(
        self, assume: Callable[[Owner], dict[str, Any]], now: Callable[[], float] = time.time
    ) -> None:
        self._assume = assume
        self._now = now
        self._kept: OrderedDict[Owner, _Session] = OrderedDict()
        self._lock = Lock()

    def credentials(self, owner: Owner) -> ReadOnlyCredentials:
        """Credentials that last `RENEW_SECONDS`, if STS answers. Blocks while they are requested.

        Raises botocore's errors when STS does not give them.
        """
        with self._lock:
            session = self._kept.setdefault(owner, _Session())
            self._kept.move_to_end(owner)
            if len(self._kept) > MAX_OWNERS:
                self._kept.popitem(last=False)
        began = self._now()
        with session.lock:  # of the calls of one owner, one asks STS, and the others wait
            if session.error is not None and session.failed_at >= began:
                raise session.error
            if session.credentials is None or self._now() >= session.renew_at:
                session.credentials = self._renewed(session, owner)
            return session.credentials

    def _renewed(self, session: _Session, owner: Owner) -> ReadOnlyCredentials:
        try:
            given = self._assume(owner)["Credentials"]
        except (BotoCoreError, ClientError) as error:
            now = self._now()
            if session.credentials is None or session.ends <= now + RETRY_SECONDS:
                session.error, session.failed_at = error, now
                raise
            logger.warning("a session could not be renewed: %s", type(error).__name__)
            session.renew_at = now + RETRY_SECONDS
            return session.credentials
        session.error = None
        session.ends = given["Expiration"].timestamp()
        session.renew_at = session.ends - RENEW_SECONDS
        return ReadOnlyCredentials(
            given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
        )


def _assume(owner: Owner) -> dict[str, Any]:
    answer: dict[str, Any] = clients.client("sts").assume_role(
        RoleArn=get_aws_settings().data_role,
        RoleSessionName=owner.folder,
        DurationSeconds=SESSION_SECONDS,
        Tags=[
            {"Key": OWNER_TAG, "Value": owner.user},
            {"Key": FOLDER_TAG, "Value": owner.folder},
        ],
    )
    return answer


class _OwnersCredentials(Credentials):  # type: ignore[misc]  # botocore has no types
    """The current owner's credentials. botocore asks for them whenever it signs a request."""

    def __init__(self, sessions: OwnerSessions) -> None:
        super().__init__(access_key="", secret_key="", method="chatkit-session")
        self._sessions = sessions

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        owner = _acting.get()
        if owner is None:
            raise NoOwnerError("rows and objects are reached for an owner, and none was named")
        return self._sessions.credentials(owner)


class _Provider(CredentialProvider):  # type: ignore[misc]  # botocore has no types
    METHOD = "chatkit-session"

    def load(self) -> Credentials:
        return _OwnersCredentials(OwnerSessions(_assume))


@cache
def boto_session() -> boto3.Session:
    """The boto3 session whose clients sign as the current owner, made on first use."""
    core = get_session()
    core.register_component("credential_provider", CredentialResolver([_Provider()]))
    return boto3.Session(botocore_session=core)


def client(service: str) -> Any:
    """The client for rows or objects, which signs as the owner for whom the caller acts.

    Without a data role it is the process's own.
    """
    return clients.client(service, boto_session() if isolated() else None)
