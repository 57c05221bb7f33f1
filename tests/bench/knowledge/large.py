"""An index of words with many passages: what it takes to make, to keep and to search.

The vectors of so many passages are S3 Vectors' affair: moto compares a query with each of them in
Python, which says nothing about AWS. What is printed of them is computed.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from functions.aws.bucket import Bucket
from functions.knowledge.current import INDEXES
from functions.knowledge.words import Words
from functions.settings import Settings
from tests.bench.knowledge import report
from tests.bench.knowledge.labelled import documents, passages, questions
from tests.bench.knowledge.variations import variations
from tests.support.cloud import own_cloud

INDEX: Final = "k-large"
MEGABYTE: Final = 1024 * 1024
DIMENSION: Final = 1024
"""Numbers in a vector of a common model: each has four bytes."""
ROOT: Final = Path(__file__).parents[3]


async def run(patch: pytest.MonkeyPatch, count: int) -> list[str]:
    """Measure and print. Returns the goals that are missed."""
    with own_cloud(patch, CHATKIT_KNOWLEDGE="true"):
        settings = Settings(_env_file=None)
        bucket = Bucket(settings.attachments_bucket)
        tokens = settings.passage_tokens
        texts = [passage for path in documents() for passage in passages(path, tokens)]
        many = list(variations(texts, count, tokens))
        words = Words(bucket, INDEX)
        began = time.perf_counter()
        for document in many:
            await words.put(document)
        build = time.perf_counter() - began
        one = many[0]
        began = time.perf_counter()
        await words.put(replace(one, passages=one.passages[1:]), one.passages)
        change = time.perf_counter() - began
        head = await bucket.head(f"{INDEXES}{INDEX}/words.sqlite3")
        print(f"\n== {count:,} passages in {len(many)} documents, by words alone")
        print(f"build the file             {build:8.1f} s, one document after the other")
        print(f"change one document        {change:8.1f} s, the whole file is put again")
        print(f"size of the file           {head.size / MEGABYTE:8.1f} MB")
        found = searched(bucket.name)
        print(f"fetch the file             {found['refresh']:8.1f} s from moto")
        print(f"search                     {found['p50']:8.1f} ms p50, {found['p95']:.1f} ms p95")
        print(f"memory before, and after   {found['before']:8.0f} MB, {found['after']:.0f} MB")
        text = sum(len(p.in_context.encode()) for d in many for p in d.passages)
        vectors = count * DIMENSION * 4
        print(
            f"vectors in S3 Vectors      {(vectors + text) / MEGABYTE:8.0f} MB computed: "
            f"{DIMENSION} numbers and the text of each. Their search is AWS's, and not measured"
        )
        took = found["p50"]
        most = report.MOST_MILLISECONDS
        return [f"{count:,} passages: p50 by words is {took:.0f} ms"] if took > most else []


def searched(bucket: str) -> dict[str, float]:
    """What a process of its own measures that only searches."""
    command = [sys.executable, "-m", "tests.bench.knowledge.large", bucket]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


async def search(bucket: str) -> dict[str, Any]:
    """Fetch the file, ask all questions of the labelled set, and say what that took."""
    words = Words(Bucket(bucket), INDEX)
    await words.search("warm up", tenant=None)
    before = _megabytes()
    began = time.perf_counter()
    await words.refresh()
    refresh = time.perf_counter() - began
    took = []
    for question in questions():
        began = time.perf_counter()
        await words.search(question.question, tenant=None)
        took.append((time.perf_counter() - began) * 1000)
    return {
        "refresh": refresh,
        "p50": report.percentile(took, 0.5),
        "p95": report.percentile(took, 0.95),
        "before": before,
        "after": _megabytes(),
    }


def _megabytes() -> float:
    """The most memory that this process had. The kernel's other count has that of its parent."""
    [line] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line) / 1024


if __name__ == "__main__":
    print(json.dumps(asyncio.run(search(sys.argv[1]))))
