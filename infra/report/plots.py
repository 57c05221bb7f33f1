"""Draws plots as SVG whose colours are variables of the page."""

import io
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from infra.report.colours import stand_in, themed

Series = Mapping[str, tuple[str, Sequence[Any]]]
"""Numbers by their label, each with the name of a colour. `None` is a gap in a line."""

WIDE, HIGH = 9.0, 2.9
"""Inches. The page makes a plot as wide as its card."""

TICKS = 7
"""Days that are named below a plot, at most."""

FEW_DAYS = 62
"""Days up to which bars have gaps and lines have points."""


def bars(
    days: Sequence[str], series: Series, *, line: tuple[str, str, Sequence[float]] | None = None
) -> str:
    """Bars for each day, on top of each other (negative ones below zero), and perhaps a line."""
    figure, (axes,) = _figure()
    width = 0.8 if len(days) <= FEW_DAYS else 1.0
    tops, floors = [0.0] * len(days), [0.0] * len(days)
    for label, (colour, numbers) in series.items():
        bottoms = [
            floor if number < 0 else top
            for number, top, floor in zip(numbers, tops, floors, strict=True)
        ]
        axes.bar(range(len(days)), numbers, width, bottoms, color=stand_in(colour), label=label)
        tops = [top + max(number, 0) for top, number in zip(tops, numbers, strict=True)]
        floors = [low + min(number, 0) for low, number in zip(floors, numbers, strict=True)]
    if line:
        _line(axes, *line)
    if any(floors):
        axes.axhline(0, color=stand_in("ink"), linewidth=0.8)
    _days(axes, days)
    _numbers(axes.yaxis, series)
    return _svg(figure, legend=len(series) + bool(line) > 1)


def lines(days: Sequence[str], panels: Mapping[str, Series]) -> str:
    """Panels beside each other with one scale, and a line for each of a panel's series."""
    figure, all_axes = _figure(len(panels))
    for axes, (title, series) in zip(all_axes, panels.items(), strict=True):
        axes.set_title(title, fontsize=9, color=stand_in("muted"), loc="left")
        for label, (colour, numbers) in series.items():
            _line(axes, label, colour, numbers)
        _days(axes, days, TICKS // len(panels) + 1)
        _numbers(axes.yaxis)
    all_axes[0].set_ylim(bottom=0)  # last, because the panels share it
    return _svg(figure, legend=True)


def ranking(names: Sequence[str], series: Series) -> str:
    """Horizontal bars, the first name on top, with each series behind the one before."""
    figure, (axes,) = _figure(high=0.7 + 0.3 * len(names))
    ends = [0.0] * len(names)
    for label, (colour, numbers) in series.items():
        axes.barh(range(len(names)), numbers, 0.7, ends, color=stand_in(colour), label=label)
        ends = [end + number for end, number in zip(ends, numbers, strict=True)]
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color=stand_in("grid"), linewidth=0.6)
    _numbers(axes.xaxis, series)
    return _svg(figure, legend=len(series) > 1)


def _figure(panels: int = 1, high: float = HIGH) -> tuple[Figure, list[Any]]:
    """An empty drawing with `panels` beside each other, which share their scale."""
    figure = Figure(figsize=(WIDE, high), layout="constrained")
    made = list(figure.subplots(1, panels, sharey=True, squeeze=False)[0])
    for axes in made:
        axes.set_facecolor("none")
        axes.set_axisbelow(True)
        axes.grid(visible=True, axis="y", color=stand_in("grid"), linewidth=0.6)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(stand_in("grid"))
        axes.tick_params(length=0, colors=stand_in("muted"), labelcolor=stand_in("muted"))
    return figure, made


def _line(axes: Any, label: str, colour: str, numbers: Sequence[float | None]) -> None:
    known = [float("nan") if number is None else number for number in numbers]
    few = len(known) <= FEW_DAYS
    axes.plot(
        range(len(known)),
        known,
        color=stand_in(colour),
        label=label,
        linewidth=1.5 if few else 1.0,
        marker="o" if few else None,
        markersize=2.5,
    )


def _days(axes: Any, days: Sequence[str], ticks: int = TICKS) -> None:
    """Name some of the days, the last one among them."""
    step = -(-len(days) // ticks)
    places = range(len(days) - 1, -1, -step)[::-1]
    axes.set_xticks(places, [f"{date.fromisoformat(days[each]):%d %b}" for each in places])
    axes.set_xlim(-0.7, len(days) - 0.3)


def _numbers(axis: Any, series: Series | None = None) -> None:
    """A scale of few round numbers, without a sign: what is below zero counts down from it.

    Where `series` are whole numbers, it has whole numbers.
    """
    given = [number for _, numbers in (series or {}).values() for number in numbers]
    whole = bool(given) and all(isinstance(number, int) for number in given)
    axis.set_major_locator(MaxNLocator(nbins=5, integer=whole))
    axis.set_major_formatter(lambda number, _: f"{abs(number):,.10g}")


def _svg(figure: Figure, *, legend: bool) -> str:
    figure.patch.set_visible(False)
    if legend:
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(
            handles,
            labels,
            loc="outside upper left",
            ncols=6,
            frameon=False,
            labelcolor=stand_in("ink"),
            handlelength=1,
            handleheight=1,
        )
    # Texts stay texts. With a fixed salt and no date, the same numbers make the same drawing.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "chatkit"}):
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    svg = drawn.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    return themed(svg)
