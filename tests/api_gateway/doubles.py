"""The outside as a test holds it in its hands."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from api_gateway.integration.ports import (
    DataObject,
    GenAiUnclear,
    Reply,
    Submission,
    UrlRefused,
)
from neuroglia.core import NotFoundError, Unavailable


class FakeGuard:
    """Refuses whatever says `refused`."""

    def check(self, url: str) -> None:
        if "refused" in url:
            raise UrlRefused("It is not called from here.")


@dataclass
class FakeGenAi:
    """Answers what the test says: at once, later, or not at all. `held`: while it is clear, it thinks."""

    answers_later: bool = False
    answers: list[Reply | Exception | None] = field(default_factory=list)
    asked: list[tuple[str, Submission]] = field(default_factory=list)
    is_down: bool = False
    held: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.held.set()

    async def submit(self, prompt: Submission, *, key: str) -> Reply | None:
        self.asked.append((key, prompt))
        answer = self.answers.pop(0) if self.answers else None
        try:
            await self.held.wait()
        except asyncio.CancelledError:
            raise GenAiUnclear("it was interrupted") from None
        if isinstance(answer, Exception):
            raise answer
        if answer is None and not self.answers_later:
            return Reply({"text": f"an answer to {prompt.context}"})
        return answer

    async def probe(self) -> None:
        if self.is_down:
            raise Unavailable("It is down.")


@dataclass
class FakePackages:
    """Fetches nothing, and says that it has. `held`: while it is clear, it goes on fetching."""

    failures: list[Exception] = field(default_factory=list)
    fetched: list[tuple[str, str]] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.held.set()

    async def fetch(self, url: str, *, name: str) -> DataObject:
        self.fetched.append((url, name))
        await self.held.wait()
        if self.failures:
            raise self.failures.pop(0)
        return DataObject(key=name, media_type="application/zip", size=7, sha256="ab" * 32)


@dataclass
class FakeCallbacks:
    """Takes in what callers are told."""

    failures: list[Exception] = field(default_factory=list)
    delivered: list[tuple[str, Any]] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)

    async def deliver(self, url: str, body: bytes, *, id: str, caller_id: str, attempt: int) -> None:
        self.attempts.append(attempt)
        if self.failures:
            raise self.failures.pop(0)
        self.delivered.append((url, json.loads(body)))

    def secret_of(self, caller_id: str) -> str:
        return f"whsec_of_{caller_id}"


class FakeObjects:
    """Holds nothing."""

    async def put(self, key: str, content: AsyncIterator[bytes], *, media_type: str) -> DataObject:
        raise NotImplementedError

    async def get(self, key: str) -> AsyncIterator[bytes]:
        raise NotFoundError("object", key)
        yield b""

    async def delete(self, key: str) -> None:
        """There is nothing."""

    async def probe(self) -> None:
        """It is there."""


@dataclass
class FakeDependency:
    """Says how it is."""

    name: str
    is_down: bool = False

    async def probe(self) -> None:
        if self.is_down:
            raise Unavailable("It is down.")


@dataclass
class Outside:
    """All of it."""

    genai: FakeGenAi = field(default_factory=FakeGenAi)
    packages: FakePackages = field(default_factory=FakePackages)
    callbacks: FakeCallbacks = field(default_factory=FakeCallbacks)
    dependencies: list[FakeDependency] = field(
        default_factory=lambda: [FakeDependency(name) for name in ("document_store", "genai", "event_sink")]
    )
