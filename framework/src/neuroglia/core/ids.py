"""Ids: new ones are sortable by time (UUID version 7), derived ones are reproducible (version 5). RFC 9562."""

import itertools
import json
import uuid
from abc import ABC, abstractmethod
from typing import Final

import uuid_utils
from typing_extensions import override

_NAMESPACE: Final = uuid.UUID("5f1d0c2e-7f0b-5c1e-9a53-0d0a2b9b7d11")


class Ids(ABC):
    """Makes ids. Handlers get it by injection, so that a test can say which come."""

    @abstractmethod
    def new(self) -> str:
        """An id that was never given before."""


class SystemIds(Ids):
    """Random, time-ordered ids."""

    @override
    def new(self) -> str:
        return str(uuid_utils.uuid7())


def derived_id(*parts: str | int) -> str:
    """The id that always belongs to these parts. `("a", "b")` and `("ab",)` give different ones."""
    return str(uuid.uuid5(_NAMESPACE, json.dumps(parts)))


class CommandIds(Ids):
    """The ids that belong to one command: every try of it gets the same ones, in the same order."""

    def __init__(self, command_id: str) -> None:
        self._command_id, self._numbers = command_id, itertools.count(1)

    @override
    def new(self) -> str:
        return derived_id(self._command_id, "new", next(self._numbers))
