"""The stored form of every event of the controller. See `tests.support.golden`: its files are never edited."""

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
from neuroglia.domain import DomainEvent
from neuroglia.event_sourcing import EventCodec
from tests.support.golden import Golden

GOLDEN: Final = Golden("desktop_controller.domain", Path(__file__).parent / "events")
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
    return GOLDEN.codec()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.event_type)
def test_given_a_sample_when_encoding_then_it_is_the_golden_text(codec: EventCodec, sample: DomainEvent) -> None:
    assert codec.encode(sample).decode() == GOLDEN.text(sample.event_type)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.event_type)
def test_given_the_golden_text_when_decoding_then_it_is_the_sample(codec: EventCodec, sample: DomainEvent) -> None:
    read = codec.decode(GOLDEN.stored(sample.event_type))

    assert read == sample
    if isinstance(read, CommandRequested):  # 1 == True, and "007" is no number
        assert [type(value) for value in read.arguments.values()] == [int, str, float, bool, str]


@pytest.mark.parametrize("file", GOLDEN.files, ids=lambda file: file.stem)
def test_given_what_was_ever_stored_when_decoding_then_it_can_be_read(codec: EventCodec, file: Path) -> None:
    assert isinstance(codec.decode(GOLDEN.stored(file.stem)), DomainEvent)


@pytest.mark.parametrize("kind", GOLDEN.events, ids=lambda kind: kind.__name__)
def test_given_an_event_of_the_domain_then_it_has_a_sample_and_a_golden_text(kind: type[DomainEvent]) -> None:
    assert kind in {type(sample) for sample in SAMPLES}, f"add a {kind.__name__} to SAMPLES"
    assert GOLDEN.has(kind), f"add its stored form as {kind.event_type}.json"
