"""A sink that is down for many events: they wait in the stores, not in the memory of the process."""

from pathlib import Path

import httpx
import pytest

from deployment.processes import ServiceProcess, free_port, serving
from neuroglia.cloud_events.events import CloudEventOptions, CloudEventWriter
from neuroglia.cloud_events.outbox import Outbox
from neuroglia.core import SystemClock, SystemIds
from neuroglia.documents import Session
from neuroglia.domain import DomainEvent
from neuroglia.event_sourcing import NO_STREAM, EventMetadata, NewEvent
from neuroglia.hosting.backing_services import connect_document_store, connect_event_store
from openbank.application.reactions.unusual_activity import UnusualActivity
from tests.openbank.builders import deposited, opened, registered
from tests.openbank.conservation import openbank_codec
from tests.support.engines import Backing, Engine
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration
MIB = 2**20
EVENT_BYTES = 1024
EVENTS = 6_000
"""If they were held, that were twice EVENTS * EVENT_BYTES and more, with all that is known of an event."""
LIMIT = 6 * MIB
WARM = 1_000
FRUGAL = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "65536", "PYTHONPATH": str(Path(__file__).parents[2])}
"""What is free goes back to the system soon (mallopt(3)), so that only what is held is seen."""
LEAN = "tests.integration.apps.lean_bank"
"""SQLite's cache of pages, which holds up to 80 MiB, would hide what is looked for."""
SECONDS = 120.0
AT_ONCE = 50


def without_a_sink(backing: Backing) -> dict[str, str]:
    """The environment of a bank whose events nobody takes."""
    return {"CLOUD_EVENTS_SINK": f"http://127.0.0.1:{free_port()}/events", **FRUGAL, **backing.environment}


def memory(service: ServiceProcess) -> int:
    """Its own bytes in main memory: no files, nothing shared (proc(5), RssAnon)."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    (kib,) = (line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(kib) * 1024


async def deposits(backing: Backing, service: ServiceProcess, count: int, *, lagging: set[str]) -> None:
    """So many events happen to accounts; returns when all have passed them but those that are `lagging`."""
    store, codec, ids = connect_event_store(backing.event_store_url), openbank_codec(), SystemIds()
    metadata = EventMetadata(recorded_at=SystemClock().now(), correlation_id="c", causation_id=None, actor="test")
    paid = deposited("1", "1", "x" * EVENT_BYTES)

    async def happened(stream: str, *events: DomainEvent) -> None:
        new = [
            NewEvent(id=ids.new(), type=codec.name(event), data=codec.encode(event), metadata=metadata)
            for event in events
        ]
        await store.append(stream, new, NO_STREAM)

    owner = ids.new()
    await store.open()
    try:
        await happened(f"person-{owner}", registered())
        for _ in range(count // AT_ONCE):
            await happened(f"bank_account-{ids.new()}", opened(owner=owner), *[paid] * (AT_ONCE - 1))
    finally:
        await store.aclose()

    async def passed() -> bool:
        async with httpx.AsyncClient(base_url=service.url, timeout=SECONDS) as http:
            found = (await http.get("/health/ready")).json()["subscriptions"]
        return {one["name"] for one in found if one["lag"] != 0} == lagging

    await eventually(passed, SECONDS)


async def messages(backing: Backing, service: ServiceProcess, count: int) -> None:
    """So many messages are put into the outbox; returns when the sink was tried some more times."""
    store, clock, ids = connect_document_store(backing.document_store_url), SystemClock(), SystemIds()
    writer = CloudEventWriter(CloudEventOptions("openbank", None, 1), clock)
    await store.open()
    try:
        for _ in range(count // AT_ONCE):
            session, subject = Session(store), ids.new()
            outbox = Outbox(session, writer, clock)
            for number in range(AT_ONCE):
                told = UnusualActivity(account_id="x" * EVENT_BYTES, debits=number, window_seconds=1)
                outbox.add(told, subject=subject, number=number)
            await session.commit()
    finally:
        await store.aclose()
    before = failures(service)

    async def tried() -> bool:
        return failures(service) >= before + 10

    await eventually(tried, SECONDS)


def failures(service: ServiceProcess) -> int:
    """How often a message of the outbox could not be sent."""
    return sum(line["message"] == "work failed" for line in service.lines)


async def test_given_a_sink_that_is_down_then_events_wait_in_the_log(
    tmp_path: Path, backing: Backing, engine: Engine
) -> None:
    (tmp_path / "other").mkdir()
    with (
        engine(tmp_path / "other") as other,
        serving(LEAN, tmp_path / "down", **without_a_sink(backing)) as down,
        serving(LEAN, tmp_path / "none", **FRUGAL, **other.environment) as none,
    ):
        await deposits(backing, down, EVENTS, lagging={"cloud-events"})
        await deposits(other, none, EVENTS, lagging=set())
        more = memory(down) - memory(none)  # what else grows with the log, as SQLite's pages, does so in both

    assert more < LIMIT, f"{more / MIB:.1f} MiB more"


async def test_given_a_sink_that_is_down_then_messages_wait_in_the_outbox(tmp_path: Path, backing: Backing) -> None:
    with serving(LEAN, tmp_path / "down", **without_a_sink(backing)) as service:
        await messages(backing, service, WARM)
        before = memory(service)
        await messages(backing, service, EVENTS)
        more = memory(service) - before

    assert more < LIMIT, f"{more / MIB:.1f} MiB more"
