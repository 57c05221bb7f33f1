"""The files of a stage as they were: versions of objects that were removed are copied back.

A bucket keeps them with the setting `fileVersions` (`infra/stack/files.py`). A copy is a new
object, so the sweep takes it for part of a write that has not finished and leaves it for a day.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from functions.store.sweep import PREFIXES
from infra.cli.progress import Progress

AT_ONCE: Final = 10
"""Copies at one time: a client of boto3 keeps so many connections."""


@dataclass(frozen=True)
class Plan:
    """What of the named objects has to be copied back, and what cannot be: nothing of it is kept.

    `copies` are keys with the version that was current.
    """

    copies: dict[str, str]
    missing: list[str]


def plan(s3: Any, bucket: str, named: set[str], at: datetime) -> Plan:
    """Compare the bucket with how it was. One request for each 1,000 versions.

    S3 tells times in whole seconds. An object that was removed in the same second is brought back.
    """
    before: dict[str, tuple[datetime, str | None]] = {}
    current: dict[str, str] = {}
    for key, entry, removed in _versions(s3, bucket):
        if key not in named:
            continue
        modified, version = entry["LastModified"], entry["VersionId"]
        if entry["IsLatest"] and not removed:
            current[key] = version
        in_time = modified < at if removed else modified <= at
        if in_time and (key not in before or modified >= before[key][0]):
            before[key] = (modified, None if removed else version)
    copies = {
        key: version
        for key, (_, version) in before.items()
        if version is not None and current.get(key) != version
    }
    missing = sorted(named - current.keys() - copies.keys())
    return Plan(copies, missing)


def bring_back(s3: Any, bucket: str, copies: dict[str, str]) -> None:
    """Copy each version over its object. Safe to repeat, and to interrupt."""

    def copy(entry: tuple[str, str]) -> None:
        key, version = entry
        source = {"Bucket": bucket, "Key": key, "VersionId": version}
        s3.copy_object(Bucket=bucket, Key=key, CopySource=source)

    progress = Progress("Bringing files back", len(copies))
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for number, _ in enumerate(pool.map(copy, copies.items()), 1):
                progress.show(number)
    finally:
        progress.end()


def _versions(s3: Any, bucket: str) -> Iterable[tuple[str, dict[str, Any], bool]]:
    """Each version and each delete marker of the objects that rows may name; True for a marker."""
    pages = s3.get_paginator("list_object_versions")
    for prefix in PREFIXES:
        for page in pages.paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Versions", []):
                yield entry["Key"], entry, False
            for entry in page.get("DeleteMarkers", []):
                yield entry["Key"], entry, True
