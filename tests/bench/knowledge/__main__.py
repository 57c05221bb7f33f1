"""How well a question finds its passage, and how fast: by words, by vectors, and by both.

    python -m tests.bench.knowledge [quality] [large] [--passages 100000]

`quality` asks the labelled set (see README.md) with real models and with the hashing one. `large`
makes an index of words with many passages. Without a name both run. Everything runs in this
process and on moto. It ends with 1 when a goal is missed.
"""

import argparse
import asyncio
import sys

import pytest

from tests.bench.knowledge import large, quality

PARTS = ("quality", "large")


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.bench.knowledge")
    arguments.add_argument("parts", nargs="*", help="quality, large, or both")
    arguments.add_argument("--passages", type=int, default=100_000)
    given = arguments.parse_args()
    parts = given.parts or PARTS
    if unknown := set(parts) - set(PARTS):
        arguments.error(f"no such part: {', '.join(sorted(unknown))}")
    missed: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        if "quality" in parts:
            missed += asyncio.run(quality.run(patch))
        if "large" in parts:
            missed += asyncio.run(large.run(patch, given.passages))
    for goal in missed:
        print(f"missed: {goal}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
