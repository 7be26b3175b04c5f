"""The services that the gateway needs, as something that can be asked how it is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import httpx

from api_gateway.integration.ports import DOCUMENT_STORE, Dependency, GenAiService, ObjectStore
from neuroglia.cloud_events.events import CloudEventOptions
from neuroglia.core import Unavailable
from neuroglia.documents import DocumentStore
from neuroglia.security import OAuth2Options

_FAILED_FROM: Final = 500
_KNOWS_NO_SUCH_METHOD: Final = 501


def identity_provider(options: OAuth2Options) -> Dependency:
    """Whose tokens are believed."""
    return ProbedIssuer("identity_provider", options)


def document_store(store: DocumentStore) -> Dependency:
    """Where prompts and jobs are."""
    return Probed(DOCUMENT_STORE, store.ping)


def object_store(objects: ObjectStore) -> Dependency:
    """Where fetched data is."""
    return Probed("object_store", objects.probe)


def genai_service(genai: GenAiService) -> Dependency:
    """Who answers prompts."""
    return Probed("genai_service", genai.probe)


def event_sink(options: CloudEventOptions) -> Dependency:
    """Who is told of events."""
    return ProbedSink("event_sink", None if options.sink is None else str(options.sink))


@dataclass(frozen=True, slots=True)
class Probed:
    """A service with a name, asked in its own way."""

    name: str
    ask: Callable[[], Awaitable[None]]

    async def probe(self) -> None:
        await self.ask()


@dataclass(frozen=True, slots=True)
class ProbedIssuer:
    """The identity provider: it describes itself, as whom it is believed to be (OpenID Connect Discovery 1.0)."""

    name: str
    options: OAuth2Options

    async def probe(self) -> None:
        answer = await _ask("GET", self.options.described_at)
        try:
            told = answer.json()["issuer"] if answer.is_success else None
        except (ValueError, KeyError, TypeError):
            told = None
        if told != self.options.issuer:
            raise Unavailable(f"It answers {answer.status_code}, and does not describe the issuer.")


@dataclass(frozen=True, slots=True)
class ProbedSink:
    """Where events go. Without a URL they are logged, and nothing can be down."""

    name: str
    url: str | None

    async def probe(self) -> None:
        if self.url is None:
            return
        answer = await _ask("OPTIONS", self.url)  # CloudEvents HTTP Webhook 1.0.1, section 4.1; no event is sent
        if answer.status_code >= _FAILED_FROM and answer.status_code != _KNOWS_NO_SUCH_METHOD:
            raise Unavailable(f"It answers {answer.status_code}.")


async def _ask(method: str, url: str) -> httpx.Response:
    try:
        async with httpx.AsyncClient(timeout=5.0) as client:
            return await client.request(method, url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"It does not answer: {type(error).__name__}.") from None


ALL: Final = (identity_provider, document_store, object_store, genai_service, event_sink)
