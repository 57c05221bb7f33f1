"""The colours of the report, in light and in dark.

The plots are drawn in stand-ins, which the finished SVG has as `#rrggbb`. There each is replaced by
a variable of the page's style sheet, so that one drawing is readable in both.
"""

from typing import Final

LIGHT_AND_DARK: Final = {
    "page": ("#ffffff", "#16181d"),
    "card": ("#f6f7f9", "#1f222a"),
    "ink": ("#1d2129", "#e8eaee"),
    "muted": ("#5c6470", "#a3abb8"),
    "grid": ("#d9dde3", "#3a404c"),
    "first": ("#2563c4", "#6ea3f5"),
    "second": ("#b4540a", "#f0a35e"),
    "third": ("#0d7a6f", "#4fc5b5"),
    "fourth": ("#7a3fc0", "#bb93f0"),
    "fifth": ("#b0256b", "#f084b6"),
    "good": ("#2563c4", "#6ea3f5"),
    "bad": ("#b42318", "#f5867c"),
    "other": ("#8a919c", "#7d8593"),
}

SERIES: Final = ("first", "second", "third", "fourth", "fifth")
"""What is told apart by colour, the largest first. What comes after it is `other`."""


def stand_in(name: str) -> str:
    """The colour that a plot is drawn in, which no plot has by itself."""
    return f"#fe{list(LIGHT_AND_DARK).index(name):02x}ef"


def themed(svg: str) -> str:
    """A drawing with variables in place of the stand-ins."""
    for name in LIGHT_AND_DARK:
        svg = svg.replace(stand_in(name), f"var(--{name})")
    return svg


def style_sheet() -> str:
    """The variables, for both colour schemes."""
    light, dark = (
        "".join(f"--{name}:{both[number]};" for name, both in LIGHT_AND_DARK.items())
        for number in (0, 1)
    )
    return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
