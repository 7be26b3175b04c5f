"""Repositories of what is kept in a file on the host: one host, one user."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from desktop_controller.domain.models.desktop_user import THE_USER, DesktopUser
from desktop_controller.domain.models.host import THE_HOST, Host
from desktop_controller.integration.ports import HostStore
from neuroglia.core import Clock, ConcurrencyError, NotFoundError, PreconditionFailed, Unavailable, current_context
from neuroglia.core.codec import JsonCodec
from neuroglia.domain import Envelope, Repository


@dataclass(frozen=True, slots=True)
class HostIdentity:
    """What the desktop is called until somebody says otherwise."""

    desktop_id: str
    desktop_name: str


class _Versioned(Protocol):
    version: int


K = TypeVar("K", bound=_Versioned)


class KeptRepository(Repository[K], Generic[K]):
    """One value under one name, which is its id. It is saved as the next version of what was read, or refused: what the
    pipeline then does is to decide anew.

    The versions are compared in this process, which is the only one that writes the files.
    """

    def __init__(self, store: HostStore, name: str, kind: type[K], first: Callable[[], K] | None = None) -> None:
        """`first`: what there is before anything was saved; without one there is nothing."""
        self._store = store
        self._name = name
        self._codec: JsonCodec[K] = JsonCodec(kind)
        self._first = first
        self._saving = asyncio.Lock()

    async def get(self, id: str) -> K:
        found = await self._load() if id == self._name else None
        if found is not None:
            return found
        if id != self._name or self._first is None:
            raise NotFoundError(self._name, id)
        return self._first()

    async def save(self, aggregate: K) -> Sequence[Envelope]:
        expected = current_context().expected_versions
        if expected is not None and aggregate.version not in expected:
            raise PreconditionFailed("It is at another version than If-Match says. Read it again.")
        async with self._saving:
            stored = await self._load()
            actual = 0 if stored is None else stored.version
            if actual != aggregate.version:
                raise ConcurrencyError(self._name, aggregate.version, actual)
            value: dict[str, Any] = json.loads(self._codec.encode(aggregate))
            await self._store.save(self._name, {**value, "version": actual + 1})
        aggregate.version = actual + 1
        return []

    async def _load(self) -> K | None:
        stored = await self._store.load(self._name)
        try:
            return None if stored is None else self._codec.decode_mapping(stored)
        except ValueError:  # somebody has edited the file; it is not overwritten
            raise Unavailable(f"What is stored of the {self._name} cannot be read.") from None


def keep_host(store: HostStore, identity: HostIdentity, clock: Clock) -> Repository[Host]:
    """The host, which is there from the first moment on: as the settings name it."""

    def first() -> Host:
        now = clock.now()
        return Host(
            desktop_id=identity.desktop_id, desktop_name=identity.desktop_name, created_at=now, last_modified=now
        )

    return KeptRepository(store, THE_HOST, Host, first)


def keep_user(store: HostStore) -> Repository[DesktopUser]:
    """The user, once somebody has said who it is."""
    return KeptRepository(store, THE_USER, DesktopUser)
