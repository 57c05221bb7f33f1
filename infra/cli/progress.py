"""How far something is, in plain text: a bar in a terminal, and a line now and then elsewhere."""

import sys
import time
from typing import Final, TextIO

WIDTH: Final = 30
EVERY: Final = 15.0
"""Seconds between two lines where there is no terminal, unless a tenth more is done."""


class Progress:
    """`done` things of `total`. Leave it with `end`, which ends the bar's line."""

    def __init__(self, what: str, total: int, stream: TextIO | None = None) -> None:
        self._what = what
        self._total = total
        self._stream = stream or sys.stdout
        self._bar = self._stream.isatty()
        self._shown = -1
        self._shown_at = 0.0

    def show(self, done: int) -> None:
        now = time.monotonic()
        if self._bar:
            filled = WIDTH * done // max(self._total, 1)
            bar = "#" * filled + "-" * (WIDTH - filled)
            self._write(f"\r{self._what} [{bar}] {done}/{self._total}")
        elif done != self._shown and (
            self._shown < 0
            or done == self._total
            or done >= self._shown + self._total / 10
            or now >= self._shown_at + EVERY
        ):
            self._write(f"{self._what} {done}/{self._total}\n")
        else:
            return
        self._shown, self._shown_at = done, now

    def end(self) -> None:
        if self._bar and self._shown >= 0:
            self._write("\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
