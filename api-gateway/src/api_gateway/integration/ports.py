"""What the use cases need of the outside, whatever reaches it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from pydantic import JsonValue

from api_gateway.domain.models.data_object import DataObject as DataObject
from neuroglia.documents import AskedToWait

JsonObject = Mapping[str, JsonValue]
DOCUMENT_STORE: Final = "document_store"
"""As a `Dependency`."""


class UrlRefused(Exception):
    """The gateway does not call this URL, whatever stands behind it. The text says why, and may be shown."""


class UrlGuard(Protocol):
    """Decides which URLs of callers may be called."""

    def check(self, url: str) -> None:
        """Looks at the URL alone: its scheme, its form, a literal address in it, the allow-list. (What its name
        resolves to is checked when it is called, for that may change at any time.)

        Raises:
            UrlRefused: it is never called.
        """
        ...


class DataRefused(Exception):
    """What stands behind a data URL is not taken: fetching it again would end the same.

    `code` is stable and shown to the caller, such as `too-large`, `media-type`, `unsafe-archive`, `url-refused`,
    `not-found`; the text is for people.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class DataPackages(Protocol):
    """Fetches what callers have put somewhere for their prompts."""

    async def fetch(self, url: str, *, name: str) -> DataObject:
        """Downloads a package through the guard into the object store, under the key `name`: bounded in size and time,
        of an allowed type, and if it is an archive with its entries looked at. A second time replaces the first.

        Raises:
            DataRefused: it is not taken.
            Unavailable: the other side or the object store does not answer; it may later.
        """
        ...


class ObjectStore(Protocol):
    """Where fetched packages are kept."""

    async def put(self, key: str, content: AsyncIterator[bytes], *, media_type: str) -> DataObject:
        """Stores an object, all or nothing; replaces what was there.

        Raises:
            Unavailable: the store does not answer.
        """
        ...

    def get(self, key: str) -> AsyncIterator[bytes]:
        """The content of an object, in pieces.

        Raises:
            NotFoundError: there is none.
            Unavailable: the store does not answer.
        """
        ...

    async def delete(self, key: str) -> None:
        """Removes an object; nothing happens when there is none.

        Raises:
            Unavailable: the store does not answer.
        """
        ...

    async def probe(self) -> None:
        """Really asks it.

        Raises:
            Unavailable: it does not answer, or not as it should.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What the GenAI service is asked. `attempt` counts the submissions of this prompt from 1."""

    prompt_id: str
    attempt: int
    kind: str
    context: JsonObject
    data_object: DataObject | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What it answers."""

    response: JsonObject


class GenAiRefused(Exception):
    """The service has certainly not taken the prompt, and will not: its request is wrong in its eyes. The text may be
    shown."""


class GenAiUnclear(Exception):
    """Nobody knows whether the service has taken the prompt: the time ran out, or the connection broke."""


class GenAiService(Protocol):
    """The GenAI service behind `GENAI_URL`."""

    @property
    def answers_later(self) -> bool:
        """Whether answers come by themselves (agent): then one may still come although nobody knows whether the prompt
        was taken. Otherwise an answer that was missed is lost."""
        ...

    async def submit(self, prompt: Submission, *, key: str) -> Reply | None:
        """Sends a prompt, with `key` as its idempotency key. None: it is accepted, and the answer comes later to
        `/internal/prompts/{id}/response`.

        Raises:
            GenAiRefused: it does not want this prompt.
            GenAiUnclear: it may have taken it; it must not be sent again with this key.
            Unavailable: it has certainly not taken it (no connection, 429, 503): the same may be sent again.
        """
        ...

    async def probe(self) -> None:
        """Really asks it, without any prompt.

        Raises:
            Unavailable: it does not answer, or not as it should.
        """
        ...


class CallbackFailed(AskedToWait):
    """The caller's server did not take the response. It may the next time, after the `asked` seconds for which it wants
    to be left alone. The text may be shown."""

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.asked = retry_after or 0.0


class CallbackRefused(Exception):
    """The caller's server will not take the response, however often it comes. The text may be shown."""


class Callbacks(Protocol):
    """Tells callers the response, at the URL that they have named."""

    async def deliver(self, url: str, body: bytes, *, id: str, caller_id: str, attempt: int) -> None:
        """POSTs a JSON body, signed with the caller's own secret. `id` is the prompt's and the same each time, so that
        the caller can tell a repeat; `attempt` counts from 1.

        Raises:
            UrlRefused: the gateway does not call it.
            CallbackRefused: it answered that it never will take it.
            CallbackFailed: it did not answer with 2xx.
        """
        ...

    def secret_of(self, caller_id: str) -> str:
        """What this caller checks the signatures of callbacks with. It is shown to the caller once, with an API key."""
        ...


class Dependency(Protocol):
    """A service that the gateway needs, and can ask how it is."""

    @property
    def name(self) -> str:
        """What it is called in the answer: `identity_provider`, `document_store`, …"""
        ...

    async def probe(self) -> None:
        """Really asks it.

        Raises:
            Unavailable: it does not answer, or not as it should.
        """
        ...
