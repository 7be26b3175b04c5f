"""The stored form of every event, to the letter: what was written once must be readable for ever.

Each file in `events` holds the JSON text of one sample as the event store keeps it, under the event's name. A test
that fails here says that the stored form has changed. The remedy is a new version of the event with an upcaster from
the old one, whose file stays; the file of a version that was released is never edited.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from desktop_controller.domain.events.host_commands import (
    CancellationRequested,
    CommandFailed,
    CommandRequested,
    CommandStarted,
    CommandSucceeded,
)
from desktop_controller.domain.models.captured_output import CapturedOutput
from desktop_controller.domain.models.command_status import CommandStatus
from neuroglia.core.scanning import classes, import_modules
from neuroglia.dependency_injection import ServiceCollection
from neuroglia.domain import DomainEvent
from neuroglia.event_sourcing import EventCodec, StoredEvent
from neuroglia.event_sourcing.registration import add_aggregates

FILES: Final = Path(__file__).parent / "events"
DOMAIN: Final = import_modules("desktop_controller.domain")
EVENTS: Final = [kind for kind in classes(DOMAIN, DomainEvent) if "event_type" in vars(kind)]
NOON: Final = datetime(2025, 1, 31, 12, tzinfo=UTC)
OUTPUT: Final = CapturedOutput(
    stdout="größer 🦊\n\0", stderr="", output_bytes=14, output_sha256="e3b0c442", truncated=True
)
SAMPLES: Final[list[DomainEvent]] = [
    CommandRequested(
        command="show-log",
        arguments={"lines": 7, "file": "../x", "ratio": 0.5, "all": True, "number": "007"},
        timeout_seconds=2.5,
        justification='a "reason"',
        requested_by="ops",
        version="1",
        sha256="abc",
    ),
    CommandStarted(started_at=NOON),
    CancellationRequested(requested_by="ops"),
    CommandSucceeded(finished_at=NOON, output=OUTPUT),
    CommandFailed(status=CommandStatus.TIMED_OUT, reason="too slow", finished_at=NOON, exit_code=None, output=OUTPUT),
]


@pytest.fixture(scope="module")
def codec() -> EventCodec:
    services = ServiceCollection()
    add_aggregates(services, DOMAIN)
    return next(one.instance for one in services.registrations if one.service is EventCodec)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.event_type)
def test_given_a_sample_when_encoding_then_it_is_the_golden_text(codec: EventCodec, sample: DomainEvent) -> None:
    assert codec.encode(sample).decode() == _golden(sample.event_type)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.event_type)
def test_given_the_golden_text_when_decoding_then_it_is_the_sample(codec: EventCodec, sample: DomainEvent) -> None:
    read = codec.decode(_stored(sample.event_type))

    assert read == sample
    if isinstance(read, CommandRequested):  # 1 == True, and "007" is no number
        assert [type(value) for value in read.arguments.values()] == [int, str, float, bool, str]


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_given_an_event_of_the_domain_then_it_has_a_sample_and_a_golden_text(kind: type[DomainEvent]) -> None:
    assert kind in {type(sample) for sample in SAMPLES}, f"add a {kind.__name__} to SAMPLES"
    assert (FILES / f"{kind.event_type}.json").exists(), f"add its stored form as {kind.event_type}.json"


def _golden(name: str) -> str:
    return (FILES / f"{name}.json").read_text(encoding="utf-8").removesuffix("\n")


def _stored(name: str) -> StoredEvent:
    return StoredEvent(
        position=0, stream="golden-1", revision=0, id="e", type=name, data=_golden(name).encode(), recorded_at=NOON,
        correlation_id="golden", causation_id=None, actor="test",
    )  # fmt: skip
