"""A service that gives out API keys, and lets their holders in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from pydantic import BaseModel

from neuroglia.core import Clock, Page, current_context
from neuroglia.documents import DocumentStore
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.mediation import Command, CommandHandler, Mediator
from neuroglia.mvc import ControllerBase, delete, get, post
from neuroglia.security.api_keys import ApiKeys, IssuedKey
from neuroglia.testing import FixedClock, InMemoryDocumentStore, RunningService, running

DAY = timedelta(days=1)


class KeyRequest(BaseModel):
    caller_id: str = "acme"
    permissions: list[str] = ["r"]
    rate_limit: str = "60/minute"
    expires_at: datetime | None = None


class KeyDto(BaseModel):
    id: str
    caller_id: str


class IssuedDto(KeyDto):
    secret: str

    @staticmethod
    def of(issued: IssuedKey) -> "IssuedDto":
        key = issued.key
        return IssuedDto(id=key.id, caller_id=key.caller_id, secret=issued.secret.get_secret_value())


@dataclass(frozen=True, slots=True)
class Issue(Command[IssuedKey]):
    caller_id: str
    permissions: list[str]
    rate_limit: str
    expires_at: datetime | None


class IssueHandler(CommandHandler[Issue, IssuedKey]):
    def __init__(self, keys: ApiKeys) -> None:
        self._keys = keys

    async def handle(self, command: Issue) -> IssuedKey:
        return await self._keys.issue(command.caller_id, command.permissions, command.rate_limit, command.expires_at)


class KeysController(ControllerBase):
    def __init__(self, mediator: Mediator, keys: ApiKeys) -> None:
        super().__init__(mediator)
        self._keys = keys

    @post(scopes=["admin"], status_code=201, location="/{id}")
    async def issue(self, request: KeyRequest) -> IssuedDto:
        """Makes a key."""
        command = Issue(request.caller_id, request.permissions, request.rate_limit, request.expires_at)
        return IssuedDto.of(await self.mediator.execute(command))

    @get(scopes=["admin"])
    async def list(self, limit: int = 50, cursor: str | None = None) -> Page[KeyDto]:
        """Lists the keys."""
        page = await self._keys.page(limit, cursor)
        items = [KeyDto(id=key.id, caller_id=key.caller_id) for key in page.items]
        return Page(items=items, next_cursor=page.next_cursor)

    @post("/{id}/rotate", scopes=["admin"])
    async def rotate(self, id: str, hours: float = 1) -> IssuedDto:
        """Gives a key another secret."""
        return IssuedDto.of(await self._keys.rotate(id, timedelta(hours=hours)))

    @delete("/{id}", scopes=["admin"])
    async def revoke(self, id: str) -> None:
        """Ends a key."""
        await self._keys.revoke(id)


class WhoController(ControllerBase):
    @get(scopes=["r"])
    async def who(self) -> dict[str, Any]:
        """Who asks."""
        principal = current_context().principal
        return {"id": principal.id, "scopes": sorted(principal.scopes), **principal.claims}

    @get("/writers", scopes=["w"])
    async def writers(self) -> None:
        """Not for everybody."""


@dataclass
class Keyring:
    """The running service: its keys, and requests that show whatever a test wants."""

    service: RunningService
    http: httpx.AsyncClient
    keys: ApiKeys
    clock: FixedClock

    async def issue(self, **values: Any) -> IssuedDto:
        answer = await self.service.client.post("/api/v1/keys", json=values)
        assert answer.status_code == 201, answer.text
        return IssuedDto.model_validate_json(answer.content)

    async def shows(self, *texts: str | bytes, path: str = "") -> httpx.Response:
        headers = [(b"x-api-key", text.encode() if isinstance(text, str) else text) for text in texts]
        return await self.http.get(f"/api/v1/who{path}", headers=headers)

    async def is_good(self, secret: str) -> bool:
        answer = await self.shows(secret)
        assert answer.status_code in {200, 401}, answer.text
        return answer.status_code == 200


def builder(clock: FixedClock, **settings: Any) -> WebApplicationBuilder:
    made = WebApplicationBuilder(ServiceSettings(**settings))
    made.services.add_instance(Clock, clock)
    made.add_mediation(__name__)
    made.add_documents(__name__)
    made.add_controllers(__name__)
    made.add_api_keys()
    return made


def in_memory(made: WebApplicationBuilder) -> WebApplicationBuilder:
    """The same with documents in memory. There are no events to keep."""
    made.services.add_singleton(DocumentStore, InMemoryDocumentStore)
    return made


@asynccontextmanager
async def opened(made: WebApplicationBuilder, clock: FixedClock) -> AsyncIterator[Keyring]:
    app = made.build()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with running(app) as service, httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield Keyring(service, http, await service.services.get(ApiKeys), clock)


@asynccontextmanager
async def keyring_in_memory() -> AsyncIterator[Keyring]:
    clock = FixedClock()
    async with opened(in_memory(builder(clock)), clock) as keyring:
        yield keyring


async def documents_of(keyring: Keyring) -> DocumentStore:
    return await keyring.service.services.get(DocumentStore)
