"""A rebuild under load: readers notice nothing, and at the swap everything is right."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from deployment.processes import ServiceProcess, serving
from neuroglia.documents import DocumentStore, DocumentType, Session
from neuroglia.event_sourcing.subscriptions import Generation
from neuroglia.hosting.backing_services import connect_document_store
from tests.integration.test_openbank_process import client_of, deposit, open_account
from tests.support.engines import Backing
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration
GENERATIONS = DocumentType(Generation)
RATE = 200
ACCOUNTS = 5
DEPOSITS = 60


async def test_given_two_hundred_reads_a_second_when_all_is_rebuilt_then_none_of_them_notices(
    tmp_path: Path, backing: Backing
) -> None:
    with serving("openbank", tmp_path, LEASE_SECONDS="0.3", **backing.environment) as bank:
        accounts = [open_account(bank) for _ in range(ACCOUNTS)]
        for account in accounts:
            for _ in range(DEPOSITS):
                position = deposit(bank, account)
        expected = await shown(bank, accounts, position)
        answers: Counter[int] = Counter()
        torn: list[object] = []
        stop = asyncio.Event()
        reading = asyncio.create_task(read_for_ever(bank, accounts, expected, answers, torn, stop))

        store = connect_document_store(backing.document_store_url)  # as another process would ask for it
        await store.open()
        for generation in (2, 3):
            for name in ("AccountProjection", "StatementProjection"):
                await ask_for(store, name, generation)
            for name in ("AccountProjection", "StatementProjection"):
                await eventually(lambda name=name, generation=generation: is_live(store, name, generation))
        before = answers.total()
        await eventually(lambda: answered(answers, before + RATE))
        stop.set()
        await reading
        await store.aclose()

        assert (set(answers), torn) == ({200}, [])
        position = deposit(bank, accounts[0])
        assert (await shown(bank, accounts, position))[0]["balance"] == f"{(DEPOSITS + 1) / 100:.2f}"


async def shown(bank: ServiceProcess, accounts: list[str], position: str) -> list[dict[str, object]]:
    async with client_of(bank) as http:
        headers = {"X-Wait-For-Position": position}
        return [(await http.get(f"/accounts/{account}", headers=headers)).json() for account in accounts]


async def read_for_ever(
    bank: ServiceProcess,
    accounts: list[str],
    expected: list[dict[str, object]],
    answers: Counter[int],
    torn: list[object],
    stop: asyncio.Event,
) -> None:
    """Sends a read every 1/RATE seconds, whether or not the ones before are answered."""
    async with client_of(bank) as http, asyncio.TaskGroup() as group:

        async def read(number: int) -> None:
            account = number % ACCOUNTS
            if number % 2:
                answer = await http.get(f"/accounts/{accounts[account]}")
                right = answer.json() == expected[account]
            else:
                answer = await http.get(f"/accounts/{accounts[account]}/transactions", params={"limit": 200})
                items = answer.json().get("items", [])
                balances = [line["balance_after"] for line in items]
                right = balances == [f"{cents / 100:.2f}" for cents in range(DEPOSITS, 0, -1)]
            answers[answer.status_code] += 1
            if not right:
                torn.append(answer.text)

        loop = asyncio.get_running_loop()
        start, number = loop.time(), 0
        while not stop.is_set():
            group.create_task(read(number))
            number += 1
            await asyncio.sleep(max(0.0, start + number / RATE - loop.time()))


async def ask_for(store: DocumentStore, name: str, generation: int) -> None:
    session = Session(store)
    row = await session.get(GENERATIONS, name) or Generation(name=name)
    row.building = generation
    session.save(GENERATIONS, row)
    await session.commit()


async def is_live(store: DocumentStore, name: str, generation: int) -> bool:
    row = await Session(store).get(GENERATIONS, name)
    return row is not None and row.live == generation


async def answered(answers: Counter[int], times: int) -> bool:
    return answers.total() >= times
