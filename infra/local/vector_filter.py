"""Metadata filters of S3 Vectors, as AWS documents them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-metadata-filtering.html

The page does not say what several names in one filter mean, so only one is allowed here: `$and`
says the same. Nor does it say what `$ne` and `$nin` do where the key is missing: here they match.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

Matches = Callable[[Mapping[str, Any]], bool]
"""Whether the metadata of a vector match."""


class FilterError(ValueError):
    """AWS refuses such a filter. The message says why."""


def compiled(filter_: object, not_filterable: frozenset[str] = frozenset()) -> Matches:
    """The filter as a function. Raises `FilterError`."""
    if not isinstance(filter_, dict) or len(filter_) != 1:
        raise FilterError("a filter is an object with one name: join several with $and")
    ((name, condition),) = filter_.items()
    if name in {"$and", "$or"}:
        if not isinstance(condition, list) or not condition:
            raise FilterError(f"{name} takes a list of filters that is not empty")
        parts = [compiled(part, not_filterable) for part in condition]
        join = all if name == "$and" else any
        return lambda metadata: join(part(metadata) for part in parts)
    if name.startswith("$"):
        raise FilterError(f"{name} is no operator between filters")
    if name in not_filterable:
        raise FilterError(f"{name} is a non-filterable key of this index")
    if not isinstance(condition, dict):
        condition = {"$eq": condition}
    if not condition:
        raise FilterError(f"the filter of {name} has no operator")
    tests = [_test(operator, operand) for operator, operand in condition.items()]
    return lambda metadata: all(test(metadata.get(name)) for test in tests)


_ORDER: Final[dict[str, Callable[[float, float], bool]]] = {
    "$gt": lambda value, than: value > than,
    "$gte": lambda value, than: value >= than,
    "$lt": lambda value, than: value < than,
    "$lte": lambda value, than: value <= than,
}


def _test(operator: str, operand: Any) -> Callable[[Any], bool]:
    """A test of the value of one key, `None` where it is missing."""
    match operator:
        case "$eq" | "$ne":
            _need(_is_primitive(operand), operator, "a text, a number or a boolean")
            equal = operator == "$eq"
            return lambda value: _has(value, operand) is equal
        case "$in" | "$nin":
            is_list = isinstance(operand, list) and bool(operand)
            _need(is_list and all(map(_is_primitive, operand)), operator, "a list of values")
            inside = operator == "$in"
            return lambda value: any(_has(value, each) for each in operand) is inside
        case "$exists":
            _need(isinstance(operand, bool), operator, "a boolean")
            return lambda value: (value is not None) is operand
        case _ if operator in _ORDER:
            _need(_is_number(operand), operator, "a number")
            in_order = _ORDER[operator]
            return lambda value: _is_number(value) and in_order(value, operand)
    raise FilterError(f"{operator} is no operator")


def _need(right: bool, operator: str, wanted: str) -> None:
    if not right:
        raise FilterError(f"{operator} takes {wanted}")


def _has(value: Any, operand: Any) -> bool:
    """Whether a value is the operand, or a list that has it."""
    if isinstance(value, list):
        return any(_same(each, operand) for each in value)
    return _same(value, operand)


def _same(value: Any, operand: Any) -> bool:
    # In Python, True is 1.
    return isinstance(value, bool) is isinstance(operand, bool) and bool(value == operand)


def _is_primitive(value: Any) -> bool:
    return isinstance(value, str | bool) or _is_number(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
