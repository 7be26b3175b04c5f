"""kill -9 before and after every write that a prompt leads to, and around every call to the outside: the next process
brings it to its end."""

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from deployment.demo.receiver import Receiver, receiving
from tests.api_gateway.mortal import LIMIT_S, Answer, Life
from tests.api_gateway.neighbours import Neighbours, data_of, living_around
from tests.support.engines import Backing

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("after_kills")]
PATIENCE_S = 45
"""For the few that can only expire. All others take a second."""
CALLS = {"put", "fetch", "submit", "deliver"}
GENAI = {"agent": "agent+{url}", "chat": "openai+{url}/v1?model=m"}


class Lives:
    """A gateway that lives one life after the other on the same stores, with the same neighbours."""

    def __init__(self, process: asyncio.subprocess.Process, around: Neighbours, receiver: Receiver) -> None:
        self._process = process
        self._urls = {"data_url": f"{around.url}/data/MARK", "callback_url": receiver.url}
        self._secret: str | None = None

    async def live(self, *marks: str, dies: tuple[str, int] | None = None, waits: bool = False) -> Answer:
        """One life."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        life = Life(secret=self._secret, marks=list(marks), more=self._urls, dies=dies, waits=waits)
        self._process.stdin.write(json.dumps(life).encode() + b"\n")
        async with asyncio.timeout(3 * LIMIT_S):
            line = await self._process.stdout.readline()
        assert line, "the gateway is gone for good"
        answer: Answer = json.loads(line)
        self._secret = self._secret or answer["secret"]
        return answer


@asynccontextmanager
async def lives_on(
    backing: Backing, folder: Path, genai: str, around: Neighbours, receiver: Receiver
) -> AsyncGenerator[Lives]:
    told = {
        "DATA_DIR": str(folder),
        "GENAI_URL": GENAI[genai].format(url=around.url),
        "LEASE_SECONDS": "0.3",
        "GENAI_TIMEOUT": "5",  # until then, and a little longer, who has begun an attempt may only be slow
        "LOG_LEVEL": "ERROR",
        "PROMPT_TIMEOUT": str(PATIENCE_S),
        "OUTGOING_ALLOW_HTTP": "true",
        "OUTGOING_PORTS": "1024-65535",
        "OUTGOING_ALLOWED_NETWORKS": "127.0.0.1/32",
        **backing.environment,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.api_gateway.mortal", around.url,
        env={**os.environ, **told}, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24,
    )  # fmt: skip
    try:
        yield Lives(process, around, receiver)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


def points_of(writes: Counter[str], everywhere: bool) -> Sequence[tuple[str, int]]:
    """Each point, and the how-manieth time of it. Not `everywhere`: the calls, and the writes of prompts; and not where
    rates are counted and jobs are claimed."""
    chosen = [point for point in writes if everywhere or "prompts" in point or point.split()[-1] in CALLS]
    return [(point, nth) for point in chosen for nth in range(1, writes[point] + 1)]


def objects_in(folder: Path) -> dict[str, str]:
    """The hash of each object that can be reached. (What a dead process left unfinished has a `#` in its name.)"""
    files = [file for file in (folder / "objects").iterdir() if "#" not in file.name]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize(
    ("genai", "everywhere"),
    [
        pytest.param("agent", False, id="agent"),
        pytest.param("chat", False, id="chat", marks=pytest.mark.torture),
        pytest.param("agent", True, id="agent-everywhere", marks=pytest.mark.torture),
    ],
)
async def test_given_a_death_at_any_write_or_call_then_the_next_process_brings_the_prompt_to_its_end(
    tmp_path: Path, backing: Backing, genai: str, everywhere: bool
) -> None:
    with living_around() as around, receiving() as receiver:
        async with lives_on(backing, tmp_path, genai, around, receiver) as gateway:
            receiver.secrets.append((await gateway.live())["callback_secret"])
            writes = Counter((await gateway.live("first"))["reached"])
            points = points_of(writes, everywhere)
            died: dict[str, tuple[str, int]] = {}
            for number, (point, nth) in enumerate(points):
                mark = f"m{number}"
                if (await gateway.live(mark, dies=(point, nth)))["signal"] == signal.SIGKILL:
                    died[mark] = point, nth
            left = (await gateway.live(waits=True))["prompts"]
            again = await gateway.live(*died, waits=True)

    assert {f"{when} {call}" for call in CALLS for when in ("before", "after")} <= {point for point, _ in died.values()}
    assert "within put" in {point for point, _ in died.values()}
    assert len(died) >= len(points) * 0.8, "nearly all come again in each life"
    prompts: dict[str, Any] = again["prompts"]
    for mark, prompt in prompts.items():
        where = f"{mark} died {died.get(mark)}: {prompt}"
        assert prompt["is_final"], where
        assert around.submitted[f"{prompt['id']}:1"] <= 1, where
        assert prompt["attempts"] == 1, where
        told = [callback for callback in receiver.callbacks if callback.id == prompt["id"]]
        assert len({callback.content for callback in told}) <= 1, where
        if prompt["status"] == "responded":
            assert told, where
            assert around.submitted[f"{prompt['id']}:1"] == 1, where
        else:
            assert (prompt["status"], prompt["error"]["code"]) == ("faulted", "submission-unclear"), where
            assert not told, where
    assert receiver.refused == 0
    assert {mark: prompt["status"] for mark, prompt in left.items()}.items() <= {
        mark: prompt["status"] for mark, prompt in prompts.items()
    }.items(), "what is final stays, whoever sends it again"
    assert {again["answers"][mark] for mark in died if mark in left} <= {200}
    assert {again["answers"][mark] for mark in died if mark not in left} <= {201}
    unclear = {died[mark] for mark, prompt in prompts.items() if prompt["status"] == "faulted"}
    assert ("before submit", 1) in unclear, "it is never submitted again under the same number"
    assert ("after submit", 1) in unclear if genai == "chat" else ("after submit", 1) not in unclear
    assert objects_in(tmp_path) == {
        prompt["id"]: hashlib.sha256(data_of(mark)).hexdigest() for mark, prompt in prompts.items()
    }
