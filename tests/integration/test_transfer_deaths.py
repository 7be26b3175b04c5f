"""kill -9 before and after every write that a transfer leads to: the next process brings it to its end."""

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from neuroglia.hosting.backing_services import connect_event_store
from openbank.domain.models.transfer import TransferStatus
from tests.integration.apps.mortal_bank import Answer, Life
from tests.integration.test_openbank_process import PERSON
from tests.openbank.conservation import conserved, how_they_ended, openbank_codec
from tests.openbank.rivals import COURSES, course_id
from tests.support.engines import Backing

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("after_kills")]
API = "/api/v1"
GIVEN_BACK = [list(course) for course, end in COURSES if end is TransferStatus.REJECTED and "debit" in course]
TRIES = 5
"""So often is a death tried again at a write that a life need not come to."""


class Lives:
    """A bank that lives one life after the other on the same stores."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def live(
        self,
        *requests: tuple[str, dict[str, object]],
        dies: tuple[str, int] | None = None,
        at_once: bool = False,
        courses: list[list[str]] | None = None,
    ) -> Answer:
        """One life."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        life = Life(requests=list(requests), dies=dies, at_once=at_once, courses=courses or [])
        self._process.stdin.write(json.dumps(life).encode() + b"\n")
        async with asyncio.timeout(60):
            line = await self._process.stdout.readline()
        assert line, "the bank is gone for good"
        answer: Answer = json.loads(line)
        return answer

    async def created(self, path: str, body: dict[str, object]) -> str:
        """The id of something that is made in a life of its own."""
        (answer,) = (await self.live((f"{API}{path}", body)))["answers"]
        return str(answer["id"])


@asynccontextmanager
async def lives_on(backing: Backing) -> AsyncGenerator[Lives]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.apps.mortal_bank", *vars_of(backing),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**20,
    )  # fmt: skip
    try:
        yield Lives(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


def vars_of(backing: Backing) -> tuple[str, str]:
    return backing.event_store_url, backing.document_store_url


async def ends(backing: Backing) -> Counter[TransferStatus]:
    """How many transfers ended how, when money is conserved: what was debited of the rejected ones is back."""
    store = connect_event_store(backing.event_store_url)
    await store.open()
    try:
        return how_they_ended(await conserved(store, openbank_codec()))
    finally:
        await store.aclose()


@pytest.mark.parametrize("end", [TransferStatus.COMPLETED, TransferStatus.REJECTED, TransferStatus.REFUNDED])
async def test_given_a_death_at_any_write_then_the_next_process_brings_the_transfer_to_its_end(
    backing: Backing, end: TransferStatus
) -> None:
    async with lives_on(backing) as bank:
        person = await bank.created("/persons", PERSON)
        sender, receiver = [await bank.created("/accounts", {"owner_id": person}) for _ in range(2)]
        await bank.live((f"{API}/transactions/deposits", {"account_id": sender, "amount": "100000.00"}))
        if end is TransferStatus.REJECTED:
            await bank.live((f"{API}/accounts/{sender}/freeze", {}))
        if end is TransferStatus.REFUNDED:
            await bank.live((f"{API}/accounts/{receiver}/close", {}))
        transfer = (
            f"{API}/transfers",
            {"from_account_id": sender, "to_account_id": receiver, "amount": "30.00", "reference": "rent"},
        )
        writes = Counter((await bank.live(transfer))["reached"])
        again = Counter((await bank.live(transfer))["reached"])

        died: Counter[str] = Counter()
        for point, times in (writes | again).items():
            for nth in range(1, times + 1):
                life = await bank.live(transfer, dies=(point, nth))
                died[point] += life["signal"] == signal.SIGKILL
        certain = writes & again  # what is written together with what is a matter of timing
        for point in certain:
            for _ in range(TRIES):
                if not died[point]:
                    died[point] += (await bank.live(transfer, dies=(point, 1)))["signal"] == signal.SIGKILL
        await bank.live(transfer)

    assert {point for point in certain if not died[point]} == set()
    ended = await ends(backing)
    assert set(ended) == {end}
    assert ended[end] > died.total() / 2, "most were acknowledged, or at least recorded, before the death"


@pytest.mark.parametrize(
    ("courses", "every_write"),
    [
        pytest.param(GIVEN_BACK, False, id="refunds"),
        *[pytest.param([one], True, marks=pytest.mark.torture, id=course_id(one)) for one in GIVEN_BACK],
    ],
)
async def test_given_a_debit_of_a_rejected_transfer_and_a_death_at_any_write_then_the_next_process_gives_it_back(
    backing: Backing, courses: list[list[str]], every_write: bool
) -> None:
    async with lives_on(backing) as bank:
        await bank.live(courses=courses)
        writes = Counter((await bank.live(at_once=True))["reached"])
        points = [point for point in writes if every_write or "append" in point]
        played, died = len(courses), Counter[str]()

        async def recover_and_die(point: str, nth: int) -> None:
            nonlocal played
            await bank.live(courses=courses)
            played += len(courses)
            life = await bank.live(dies=(point, nth), at_once=True)
            died[point] += life["signal"] == signal.SIGKILL

        for point in points:
            for nth in range(1, writes[point] + 1) if every_write else {1, len(courses)}:
                await recover_and_die(point, nth)
        certain = [point for point in points if "append" in point or point.endswith("of leases")]
        for point in certain:
            for _ in range(TRIES):
                if not died[point]:
                    await recover_and_die(point, 1)
        await bank.live()

    assert {point for point in certain if not died[point]} == set()
    assert {"before append to bank_account", "after append to bank_account"} <= set(certain)
    assert await ends(backing) == {TransferStatus.REJECTED: played}
