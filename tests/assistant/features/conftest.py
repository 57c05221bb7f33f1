"""Collects the tests of a feature only if the feature exists."""

from pathlib import Path

from functions.assistant import features

FEATURES = Path(features.__file__).parent

collect_ignore = [
    test.name
    for test in Path(__file__).parent.glob("test_*.py")
    if not (FEATURES / f"{test.stem.removeprefix('test_')}.py").exists()
]
