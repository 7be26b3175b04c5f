"""Finds as MongoDB's filters. Paths come from declarations, operators from here, and values are plain scalars."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from neuroglia.core.paging import Scalar
from neuroglia.documents.store import Find

_OPERATORS: Final[Mapping[str, str]] = {"=": "$eq", ">=": "$gte", ">": "$gt", "<=": "$lte", "<": "$lt"}


def field_path(name: str) -> str:
    """Where a declared field stands."""
    return f"f.{name}"


def comparable(value: Scalar) -> Scalar:
    """A value as it is stored to be compared: truth values are numbers, as they are elsewhere."""
    return int(value) if isinstance(value, bool) else value


def as_order(find: Find) -> Sequence[tuple[str, int]]:
    """The order of a find."""
    return [(path, -1 if find.descending else 1) for path in _order_paths(find)]


def as_filter(find: Find) -> Mapping[str, Any]:
    """The conditions of a find, and where it goes on."""
    clauses: list[Mapping[str, Any]] = [
        {field_path(condition.field): {_OPERATORS[condition.operator]: comparable(condition.value)}}
        for condition in find.where
    ]
    if find.after is not None:
        clauses += _behind(_order_paths(find), [comparable(value) for value in find.after], find.descending)
    return {"$and": clauses} if clauses else {}


def _behind(paths: Sequence[str], values: Sequence[Scalar], descending: bool) -> Sequence[Mapping[str, Any]]:
    near, beyond = ("$lte", "$lt") if descending else ("$gte", "$gt")
    choices = [
        {**{path: {"$eq": value} for path, value in zip(paths[:place], values, strict=False)}, last: {beyond: value}}
        for place, (last, value) in enumerate(zip(paths, values, strict=True))
    ]
    return [{paths[0]: {near: values[0]}}, {"$or": choices}]  # a plain bound, for the index to begin there


def _order_paths(find: Find) -> Sequence[str]:
    return [*(field_path(name) for name in find.order), "_id"]
