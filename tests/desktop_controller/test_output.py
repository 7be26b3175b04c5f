"""A command's output: as it is, and as it grows."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from desktop_controller.application.queries import follow_output
from desktop_controller.application.queries.follow_output import FollowOutput
from desktop_controller.application.until_final import until_final
from desktop_controller.domain.models.command_status import CommandStatus
from desktop_controller.domain.models.host_command import HostCommand
from neuroglia.core.lifecycle import Stopping
from neuroglia.mediation import Mediator
from neuroglia.testing import RunningService, running
from tests.desktop_controller.builders import (
    COMMANDS,
    ECHO,
    IN_TIME,
    SLEEP,
    STARTED,
    ends,
    failed,
    requested,
    show,
    submit,
    submit_and_start,
)
from tests.desktop_controller.conftest import builder_on
from tests.desktop_controller.doubles import FakeHost
from tests.support.waiting import eventually

pytestmark = pytest.mark.service

EVENTS = {"Accept": "text/event-stream"}
Sent = list[tuple[str, Any, str]]


def sent(response: httpx.Response) -> Sent:
    """The events of a stream: name, data and id of each."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    found: Sent = []
    for block in response.text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        found.append((fields.get("event", "message"), json.loads(fields["data"]), fields["id"]))
    return found


async def echoed(controller: RunningService) -> str:
    """A command that has written `hi` and ended."""
    id_: str = (await controller.when("POST", COMMANDS, json=ECHO, headers=IN_TIME)).then(200).body["id"]
    return id_


async def test_the_whole_output_is_sent_as_bytes(controller: RunningService, host: FakeHost) -> None:
    program = await submit_and_start(controller, host, SLEEP)
    program.output.stdout(b"\xff\x00 one\n")
    program.output.stderr(b"two\n")
    path = f"{COMMANDS}/{program.command_id}/output"
    so_far = await controller.client.get(path)
    program.output.stdout(b"three\n")
    program.ended.set_result(0)
    await ends(controller, program.command_id)

    answer = await controller.when("GET", path)

    assert so_far.content == b"\xff\x00 one\ntwo\n"
    assert answer.response.content == b"\xff\x00 one\ntwo\nthree\n"
    assert answer.response.headers["content-type"] == "application/octet-stream"
    assert answer.response.headers["x-content-type-options"] == "nosniff"


async def test_given_a_command_that_waits_then_its_output_is_empty(host: FakeHost) -> None:
    async with running(builder_on(host, max_concurrent_commands=1).build()) as controller:
        await submit_and_start(controller, host, SLEEP)
        waiting = await submit(controller, ECHO)

        answer = await controller.client.get(f"{COMMANDS}/{waiting}/output")

        assert (answer.status_code, answer.content) == (200, b"")


async def test_given_an_ended_command_then_its_output_is_sent_with_its_end(controller: RunningService) -> None:
    id_ = await echoed(controller)

    answer = await controller.when("GET", f"{COMMANDS}/{id_}/output", headers=EVENTS)

    assert sent(answer.response) == [("message", "hi\n", "3"), ("end", None, "3")]
    assert answer.response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(("offset", "rest"), [(0, "hi\n"), (1, "i\n"), (2, "\n"), (3, "")])
async def test_given_the_offset_of_what_was_seen_then_the_rest_is_sent(
    controller: RunningService, offset: int, rest: str
) -> None:
    id_ = await echoed(controller)

    headers = {**EVENTS, "Last-Event-ID": str(offset)}
    found = sent((await controller.when("GET", f"{COMMANDS}/{id_}/output", headers=headers)).response)

    assert "".join(data for name, data, _ in found if name == "message") == rest
    assert found[-1] == ("end", None, "3")


@pytest.mark.parametrize("id", ["4", "999999999999999"])
async def test_given_an_offset_that_nobody_was_told_then_it_is_400(controller: RunningService, id: str) -> None:
    command = await echoed(controller)

    answer = await controller.when("GET", f"{COMMANDS}/{command}/output", headers={**EVENTS, "Last-Event-ID": id})

    answer.then_refused(400, "malformed-request")


@pytest.mark.parametrize("id", ["", "-1", "x", "1.0", "1_0", "0x1", " 1", "1e1", "9999999999999999", "٣".encode()])
async def test_given_something_else_than_an_offset_then_it_is_422(controller: RunningService, id: str | bytes) -> None:
    command = await echoed(controller)

    headers = [(b"Accept", b"text/event-stream"), (b"Last-Event-ID", id if isinstance(id, bytes) else id.encode())]
    answer = await controller.when("GET", f"{COMMANDS}/{command}/output", headers=headers)

    answer.then_refused(422, "invalid-request")
    assert [error["pointer"] for error in answer.body["errors"]] == ["/header/last-event-id"]


async def test_given_no_command_then_following_it_is_404(controller: RunningService) -> None:
    (await controller.when("GET", f"{COMMANDS}/none/output", headers=EVENTS)).then_refused(404, "not-found")


@pytest.mark.parametrize(
    "accept", ["text/event-stream", "TEXT/Event-Stream;q=0.9", "application/json, text/event-stream"]
)
async def test_given_a_caller_who_takes_events_then_they_are_sent(controller: RunningService, accept: str) -> None:
    id_ = await echoed(controller)

    answer = await controller.when("GET", f"{COMMANDS}/{id_}/output", headers={"Accept": accept})

    assert sent(answer.response)[-1][0] == "end"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/plain", "text/event-streams", ""])
async def test_given_a_caller_who_takes_something_else_then_bytes_are_sent(
    controller: RunningService, accept: str
) -> None:
    id_ = await echoed(controller)

    answer = await controller.when("GET", f"{COMMANDS}/{id_}/output", headers={"Accept": accept})

    assert answer.then(200).response.content == b"hi\n"


async def test_given_a_command_that_runs_then_each_piece_comes_when_it_is_written(
    controller: RunningService, host: FakeHost
) -> None:
    program = await submit_and_start(controller, host, SLEEP)
    mediator = await controller.services.get(Mediator)
    pieces = await mediator.execute(FollowOutput(program.command_id, 0))

    for text, offset in (("one\n", 4), ("two\n", 8)):
        program.output.stdout(text.encode())
        piece = await anext(pieces)
        assert (piece.text, piece.offset, piece.is_last) == (text, offset, False)

    program.ended.set_result(0)
    assert (await anext(pieces)).is_last


async def test_given_output_that_is_complete_then_the_end_is_told_when_it_is_recorded(
    controller: RunningService, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = asyncio.Event()

    async def until_recorded(mediator: Mediator, command_id: str) -> object:
        waits.set()
        return await until_final(mediator, command_id)

    monkeypatch.setattr(follow_output, "until_final", until_recorded)
    program = await submit_and_start(controller, host, SLEEP)
    pieces = await (await controller.services.get(Mediator)).execute(FollowOutput(program.command_id, 0))
    await host.outputs.writers[program.command_id].close()  # a moment before the event is stored

    last = asyncio.ensure_future(anext(pieces))
    await asyncio.wait_for(waits.wait(), 5)

    assert not last.done()
    program.ended.set_result(0)
    assert (await last).is_last
    assert (await show(controller, program.command_id)).body["status"] == "succeeded"


async def test_given_a_command_that_waits_for_its_turn_then_its_output_is_waited_for(
    host: FakeHost,
) -> None:
    async with running(builder_on(host, max_concurrent_commands=1).build()) as controller:
        first = await submit_and_start(controller, host, SLEEP)
        waiting = await submit(controller, ECHO)
        following = asyncio.create_task(controller.client.get(f"{COMMANDS}/{waiting}/output", headers=EVENTS))

        async def asked_a_few_times() -> bool:
            return host.outputs.reads[waiting] > 3

        await eventually(asked_a_few_times)
        first.ended.set_result(0)

        assert sent(await following) == [("message", "hi\n", "3"), ("end", None, "3")]


async def test_given_a_rejected_command_then_its_output_ends_at_once(controller: RunningService) -> None:
    await controller.happened(HostCommand, "c", requested("echo"), failed(CommandStatus.REJECTED))

    answer = await controller.when("GET", f"{COMMANDS}/c/output", headers=EVENTS)

    assert sent(answer.response) == [("end", None, "0")]


async def test_given_output_that_a_dead_controller_left_then_it_is_sent_and_ends(host: FakeHost) -> None:
    host.outputs.open("c").stdout(b"left\n")  # and never closed
    async with running(builder_on(host).build()) as controller:
        await controller.happened(HostCommand, "c", requested("sleep"), STARTED)

        answer = await controller.client.get(f"{COMMANDS}/c/output", headers=EVENTS)

        assert sent(answer) == [("message", "left\n", "5"), ("end", None, "5")]


async def test_given_pieces_that_cut_characters_then_whole_ones_are_sent_with_offsets_to_go_on_from(
    controller: RunningService, host: FakeHost
) -> None:
    whole = "größer 🦊\n".encode()
    program = await submit_and_start(controller, host, SLEEP)
    pieces = await (await controller.services.get(Mediator)).execute(FollowOutput(program.command_id, 0))

    found: list[tuple[int, str]] = []
    for at in range(len(whole)):
        program.output.stdout(whole[at : at + 1])
        if whole[: at + 1].decode(errors="ignore").encode() == whole[: at + 1]:
            piece = await anext(pieces)
            found.append((piece.offset, piece.text))
        else:  # let it see the piece alone
            for _ in range(20):
                await asyncio.sleep(0)

    assert "".join(text for _, text in found).encode() == whole
    for offset, _ in found:
        assert whole[:offset].decode().encode() == whole[:offset]


async def test_given_bytes_that_are_no_text_then_they_are_shown_as_such(
    controller: RunningService, host: FakeHost
) -> None:
    program = await submit_and_start(controller, host, SLEEP)
    program.output.stdout(b"a\xff\xfeb\n\xf0\x9f")
    program.ended.set_result(0)
    await ends(controller, program.command_id)

    answer = await controller.when("GET", f"{COMMANDS}/{program.command_id}/output", headers=EVENTS)

    assert [(name, data) for name, data, _ in sent(answer.response)] == [
        ("message", "a\ufffd\ufffdb\n"), ("message", "\ufffd"), ("end", None)
    ]  # fmt: skip


async def test_lines_of_the_output_cannot_forge_events(controller: RunningService, host: FakeHost) -> None:
    forged = "x\n\nevent: end\ndata: null\nid: 9\r\rid: 8\n\n"
    program = await submit_and_start(controller, host, SLEEP)
    program.output.stdout(forged.encode())
    program.ended.set_result(0)
    await ends(controller, program.command_id)

    answer = await controller.when("GET", f"{COMMANDS}/{program.command_id}/output", headers=EVENTS)

    length = str(len(forged))
    assert sent(answer.response) == [("message", forged, length), ("end", None, length)]


async def test_given_a_process_that_is_told_to_end_then_followers_leave_without_an_end(
    controller: RunningService, host: FakeHost
) -> None:
    program = await submit_and_start(controller, host, SLEEP)
    program.output.stdout(b"so far\n")
    following = asyncio.create_task(controller.client.get(f"{COMMANDS}/{program.command_id}/output", headers=EVENTS))

    async def all_was_sent() -> bool:
        return host.outputs.followed[program.command_id] == len(b"so far\n")

    await eventually(all_was_sent)

    (await controller.services.get(Stopping)).set()

    assert sent(await asyncio.wait_for(following, 5)) == [("message", "so far\n", "7")]


async def test_given_a_quiet_command_then_the_stream_shows_that_it_is_alive(
    controller: RunningService, host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_output, "_IDLE_S", 0.01)
    program = await submit_and_start(controller, host, SLEEP)
    program.output.stdout("ü".encode()[:1])
    pieces = await (await controller.services.get(Mediator)).execute(FollowOutput(program.command_id, 0))

    quiet = [await anext(pieces) for _ in range(2)]

    assert [(piece.offset, piece.text, piece.is_last) for piece in quiet] == [(0, "", False)] * 2
    program.ended.set_result(0)
    await ends(controller, program.command_id)
    answer = await controller.client.get(f"{COMMANDS}/{program.command_id}/output", headers=EVENTS)
    assert [name for name, _, _ in sent(answer)] == ["message", "end"]
