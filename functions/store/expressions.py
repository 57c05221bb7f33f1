"""Update expressions: for whole attributes, and for single values in the maps of a thread's row."""

from typing import Any

from .keys import Value
from .snapshots import Change
from .table import Row


def set_attributes(attributes: Row, *kept: str) -> dict[str, Any]:
    """The update that writes `attributes`. Those in `kept` are only written where none exists."""
    sets = [
        f"#{name} = " + (f"if_not_exists(#{name}, :{name})" if name in kept else f":{name}")
        for name in attributes
    ]
    return {
        "UpdateExpression": f"SET {', '.join(sets)}",
        "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
        "ExpressionAttributeValues": {f":{name}": value for name, value in attributes.items()},
    }


def set_paths(changes: list[Change]) -> dict[str, Any]:
    """The update that writes each change at its own path, and changes nothing else."""
    sets: list[str] = []
    removes: list[str] = []
    names: dict[str, str] = {}
    values: dict[str, Value] = {}
    for number, (part, name, text) in enumerate(changes):
        names[f"#{part}"] = part
        names[f"#n{number}"] = name if part == "fields" else f"={name}"
        path = f"#{part}.#n{number}"
        if text is None:
            removes.append(path)
        else:
            values[f":v{number}"] = {"S": text}
            sets.append(f"{path} = :v{number}")
    clauses = (("SET", sets), ("REMOVE", removes))
    return {
        "UpdateExpression": " ".join(f"{verb} {', '.join(of)}" for verb, of in clauses if of),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
