"""kill -9 before and after every write that a command leads to: it is run once or not at all, and has its end."""

import asyncio
import json
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.desktop_controller.mortal import Answer, Life

pytestmark = pytest.mark.integration
DIED = ("failed", "The controller died while it ran.")


async def lived(process: asyncio.subprocess.Process, mark: str | None, dies: tuple[str, int] | None = None) -> Answer:
    """One life."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(Life(mark=mark, dies=dies)).encode() + b"\n")
    async with asyncio.timeout(60):
        line = await process.stdout.readline()
    assert line, "the controller is gone for good"
    answer: Answer = json.loads(line)
    return answer


async def test_given_a_death_at_any_write_then_the_command_ran_once_or_not_at_all_and_has_its_end(
    tmp_path: Path,
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.desktop_controller.mortal", str(tmp_path),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**20,
    )  # fmt: skip
    try:
        writes = Counter((await lived(process, "first"))["reached"])
        killed = 0
        for point, times in writes.items():
            for nth in range(1, times + 1):
                mark = f"{point} {nth}".replace(" ", "-").replace(",", "").replace("_", "-")
                killed += (await lived(process, mark, (point, nth)))["signal"] == signal.SIGKILL
        last = await lived(process, None)
        ended = {mark: tuple(end) for mark, end in last["commands"].items()}
        audit = {mark: [tuple(event) for event in events] for mark, events in last["audit"].items()}
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()

    assert killed >= len(writes) - 4, "nearly all of the writes come again in each life"
    assert ended["first"] == ("succeeded", None)
    marks = Counter((tmp_path / "marks").read_text().split())
    assert set(marks.values()) == {1}
    for mark, end in ended.items():
        assert end in {("succeeded", None), DIED}
        assert end == DIED or marks[mark] == 1, f"{mark} succeeded and has left no mark"
        outcome = "failed" if end == DIED else "succeeded"
        steps = [f"desktop.command-{step}.v1" for step in ("requested", "started", outcome)]
        assert [(revision, type_) for revision, type_, _ in audit[mark]] == list(enumerate(steps)), mark
        (_, _, asker), *others = audit[mark]
        assert asker == "test"
        assert {actor for *_, actor in others} == {"system:command-runner"}
    assert "before-append-to-host-command-1" not in ended, "it was never accepted"
    assert ended["before-append-to-host-command-2"] == ("succeeded", None), "it was accepted, and run by the next"
    assert ended["after-append-to-host-command-2"] == DIED, "running was stored, and nobody knows what it did"
    assert ended["before-append-to-host-command-3"] == DIED
    assert marks["before-append-to-host-command-3"] == 1, "it ran, and is not run again"
