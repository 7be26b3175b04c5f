"""State machines as tables: in which states what may happen, and where that leads."""

from collections.abc import Collection, Mapping
from typing import TypeVar

S = TypeVar("S")
A = TypeVar("A")


def transitions(*rows: tuple[Collection[S], A, S]) -> Mapping[tuple[S, A], S]:
    """The state that follows each state and action. What is not in the table does not happen.

    Each row reads `(from these states, by this action, to that state)`.

    Raises:
        ValueError: an action would lead from one state to two, or a row names a state twice.
    """
    table = {(state, action): to for states, action, to in rows for state in states}
    if len(table) < sum(len(states) for states, _, _ in rows):
        raise ValueError("one action leads from one state to two")
    return table
