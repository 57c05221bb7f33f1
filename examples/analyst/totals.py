"""Sums of one column by the values of another."""

from dataclasses import dataclass, field

from functions.toolkit import ActionError

from .table import FIRST_ROW, Table, number

MAX_GROUPS = 20


@dataclass
class Total:
    name: str
    total: float = 0.0
    rows: list[int] = field(default_factory=list)
    """The numbers of the rows that were added up."""

    @property
    def words(self) -> str:
        return f"{self.total:,.2f}".removesuffix(".00")


def totals(table: Table, value: str, group: str) -> list[Total]:
    """The totals, in the order in which their names come first. Of many, those that are largest.

    Rows without a number are left out. Raises `ActionError` when there is none.
    """
    values, groups = table.column(value), table.column(group)
    found: dict[str, Total] = {}
    for place, row in enumerate(table.rows, FIRST_ROW):
        added = number(row[values])
        if added is not None:
            total = found.setdefault(row[groups], Total(row[groups] or "(empty)"))
            total.total += added
            total.rows.append(place)
    if not found:
        raise ActionError(422, f"There are no numbers in {value}.")
    largest = sorted(found.values(), key=lambda each: abs(each.total), reverse=True)[:MAX_GROUPS]
    return [each for each in found.values() if each in largest]
