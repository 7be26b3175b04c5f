"""Generations: a read model can be built anew beside the one that is read, and take its place at one stroke."""

from collections.abc import Mapping, Sequence
from typing import Any

from neuroglia.documents.types import DocumentType


class Generations:
    """Where the live generation of each read model stands, as far as this process knows."""

    def __init__(self) -> None:
        self.live: Mapping[str, DocumentType[Any]] = {}
        """By declared collection. It is replaced, never changed: a session keeps the one that it began with."""

    def use(self, kinds: Sequence[DocumentType[Any]], generation: int) -> None:
        """From now on, new sessions read this generation of these models."""
        self.live = {**self.live, **of_generation(kinds, generation)}


def of_generation(kinds: Sequence[DocumentType[Any]], generation: int) -> Mapping[str, DocumentType[Any]]:
    """Where a generation of these models stands. The first one has the declared collections themselves."""
    return {kind.collection: kind.at(generation) for kind in kinds}
