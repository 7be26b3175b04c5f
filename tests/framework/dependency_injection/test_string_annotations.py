"""Constructors whose annotations are text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from neuroglia.dependency_injection import ServiceCollection, ServiceProvider

T = TypeVar("T")


class Uses:
    def __init__(self, later: Later, all_of_them: list[Later], maybe: Later | None = None) -> None:
        self.later, self.all, self.maybe = later, all_of_them, maybe


@dataclass
class Data:
    uses: Uses


class Box(Generic[T]):
    def __init__(self, kind: type[T], inner: Sealed[T]) -> None:
        self.kind, self.inner = kind, inner


class Sealed(Generic[T]):
    def __init__(self, kind: type[T]) -> None:
        self.kind = kind


class Later: ...


class Boxed:
    def __init__(self, box: Box[Later]) -> None:
        self.box = box


async def make_later() -> AsyncIterator[Later]:
    yield Later()


def seal(kind: type[T]) -> Sealed[T]:
    return Sealed(kind)


async def test_given_string_annotations_when_made_then_they_are_resolved_in_their_module() -> None:
    services = ServiceCollection()
    services.add_scoped(Data)
    services.add_scoped(Uses)
    services.add_scoped(Later, make_later)
    services.add_open(Box, Box)
    services.add_open(Sealed, seal)
    services.add_scoped(Boxed)

    async with ServiceProvider(services) as provider, provider.create_scope() as scope:
        uses = (await scope.get(Data)).uses
        assert uses.later is uses.maybe is uses.all[0]
        box = (await scope.get(Boxed)).box
        assert box.kind is box.inner.kind is Later
