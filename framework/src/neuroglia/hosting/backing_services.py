"""From URLs to adapters. The scheme decides; an adapter's library is imported only when it is used."""

from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

from neuroglia.core.errors import ConfigurationError
from neuroglia.documents import DocumentStore
from neuroglia.event_sourcing import EventStore


def connect_event_store(url: str) -> EventStore:
    """The event store of a URL, not opened yet.

    Raises:
        ConfigurationError: no adapter has this scheme.
    """
    match urlsplit(url).scheme:
        case "sqlite":
            from neuroglia.event_sourcing.adapters.sqlite import SqliteEventStore

            return SqliteEventStore(_file(url))
        case "esdb" | "esdb+discover":
            with extra("eventstoredb", "EVENT_STORE_URL"):
                from neuroglia.event_sourcing.adapters.eventstoredb import EventStoreDB

            return EventStoreDB(url)
        case scheme:
            known = "use sqlite:///path or esdb://host:2113"
            raise ConfigurationError(f"EVENT_STORE_URL: no event store is known for '{scheme}://'; {known}")


def connect_document_store(url: str) -> DocumentStore:
    """The document store of a URL, not opened yet.

    Raises:
        ConfigurationError: no adapter has this scheme.
    """
    match urlsplit(url).scheme:
        case "sqlite":
            from neuroglia.documents.adapters.sqlite import SqliteDocumentStore

            return SqliteDocumentStore(_file(url))
        case "mongodb" | "mongodb+srv":
            with extra("mongo", "DOCUMENT_STORE_URL"):
                from neuroglia.documents.adapters.mongo import MongoDocumentStore

            return MongoDocumentStore(url)
        case scheme:
            known = "use sqlite:///path or mongodb://host/database"
            raise ConfigurationError(f"DOCUMENT_STORE_URL: no document store is known for '{scheme}://'; {known}")


@contextmanager
def extra(name: str, asked_by: str) -> Generator[None]:
    """Around the import of what only the extra `name` installs.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        raise ConfigurationError(f"{asked_by}: install neuroglia[{name}] ({missing.name} is missing)") from None


def _file(url: str) -> str:
    path = url.removeprefix("sqlite:///")
    if path == url or not path:
        forms = "sqlite:///relative/file, sqlite:////absolute/file or sqlite:///:memory:"
        raise ConfigurationError(f"a SQLite URL reads {forms}")
    return path
