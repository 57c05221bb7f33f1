"""The tools: they compute on the table, so that the model does not have to."""

import asyncio
from pathlib import Path
from typing import Annotated

from pydantic import Field

from functions.toolkit import Turn, Widget, tool

from .picture import bars
from .table import FIRST_ROW, mark, newest_table, number
from .totals import totals

WIDGETS = Path(__file__).parent / "widgets"
ROWS = Widget(WIDGETS / "rows.widget")
CHART = Widget(WIDGETS / "chart.widget")
MAX_COLUMNS = 6


@tool
async def describe_data(turn: Turn) -> str:
    """The name of the table, its columns, and what is in them. Call it before the others."""
    table = await newest_table(turn)
    lines = [f"{table.name} has {len(table.rows):,} rows. Its columns:", ""]
    for place, name in enumerate(table.columns):
        values = [row[place] for row in table.rows]
        numbers = [each for each in map(number, values) if each is not None]
        if numbers and len(numbers) * 2 > len(values):
            lines.append(f"- **{name}**: numbers from {min(numbers):,g} to {max(numbers):,g}")
        else:
            lines.append(f"- **{name}**: {len(set(values))} values, such as {values[0]}")
    return "\n".join(lines)


@tool
async def show_rows(
    turn: Turn,
    sort_by: str,
    descending: bool,
    limit: Annotated[int, Field(ge=1, le=20)],
) -> str:
    """Shows the first rows of the table, sorted by a column, as a table on the page."""
    table = await newest_table(turn)
    place = table.column(sort_by)

    def key(numbered: tuple[int, list[str]]) -> tuple[float, str]:
        text = numbered[1][place]
        return (number(text) or 0.0, text)

    found = sorted(enumerate(table.rows, FIRST_ROW), key=key, reverse=descending)[:limit]
    await turn.stream_widget(
        ROWS.build(
            title=f"{table.name}, by {table.columns[place]}",
            columns=["row", *table.columns[:MAX_COLUMNS]],
            rows=[[str(row), *values[:MAX_COLUMNS]] for row, values in found],
        )
    )
    return f"The table is on the page. It shows {mark(row for row, _ in found)}."


@tool
async def compare(turn: Turn, value: str, group: str) -> str:
    """Adds up a column for each value of another one, and shows it as a chart on the page.

    Args:
        value: The column with the numbers, such as revenue.
        group: The column with the names, such as city.
    """
    found = totals(await newest_table(turn), value, group)
    await turn.stream_widget(
        CHART.build(
            title=f"{value} by {group}".capitalize(),
            label=value,
            data=[{"name": each.name, "value": round(each.total, 2)} for each in found],
        )
    )
    most = max(found, key=lambda each: each.total)
    lines = [f"- {each.name}: {each.words} {mark(each.rows)}" for each in found]
    return "\n".join([f"**{most.name}** has the most.", "", *lines])


@tool
async def draw_chart(turn: Turn, value: str, group: str) -> str:
    """Draws the same as `compare` as a picture, which the visitor can save and send on.

    Args:
        value: The column with the numbers.
        group: The column with the names.
    """
    table = await newest_table(turn)
    found = totals(table, value, group)
    title = f"{value} by {group}".capitalize()
    await turn.show_image(await asyncio.to_thread(bars, f"{title} ({table.name})", found))
    return "The picture is on the page."
