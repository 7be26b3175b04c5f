"""OpenBank in processes that die at a named write: `python -m … EVENT_STORE_URL DOCUMENT_STORE_URL`, and a life a line
(see `lead`)."""

import sys
from typing import Any, TypedDict

import tenacity

from neuroglia.documents import DocumentStore
from neuroglia.event_sourcing import EventStore, Subscriptions
from neuroglia.testing import CrashPoints, RunningService, kill_this_process, running
from openbank.main import create_app
from openbank.settings import OpenBankSettings
from tests.openbank.rivals import play
from tests.support.lives import lead


class Life(TypedDict):
    """What happens in one life: the requests (path and body), and at the n-th time of which write it ends; by then,
    the life before has come to its end, unless `at_once` the writes count that this takes. When all is done, courses
    of two rivals are played, whose ends are for the next life."""

    requests: list[tuple[str, dict[str, Any]]]
    dies: tuple[str, int] | None
    at_once: bool
    courses: list[list[str]]


class Answer(TypedDict):
    """How a life ended: by what signal, or after which writes; and what the requests were answered."""

    signal: int
    reached: list[str]
    answers: list[Any]


async def settled(bank: RunningService) -> None:
    """Waits for the end of everything: longer where a server has to give up the transactions of the dead first."""
    try:
        await tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(TimeoutError), stop=tenacity.stop_after_attempt(4), reraise=True
        )(bank.settle)
    except TimeoutError:
        runners = (await bank.services.get(Subscriptions)).runners.values()
        print(*[runner.status for runner in runners], sep="\n", file=sys.stderr)  # noqa: T201
        raise


async def live(life: Life, settings: OpenBankSettings) -> Answer:
    """Sends the requests, and waits until everything has come to its end, if there is time."""
    points, app = CrashPoints(kill_this_process), create_app(settings)

    async def watch() -> None:
        points.watch(await app.state.services.get(EventStore))
        points.watch(await app.state.services.get(DocumentStore))
        if life["dies"] is not None:
            point, nth = life["dies"]
            points.crash_at(point, nth=nth)

    if life["at_once"]:
        await watch()
    async with running(app) as bank:
        await settled(bank)  # what the life before has left comes to its end first
        if not life["at_once"]:
            await watch()
        answers = [(await bank.client.post(path, json=body)).json() for path, body in life["requests"]]
        await settled(bank)
        if life["courses"]:
            await (await bank.services.get(Subscriptions)).stop()
            for course in life["courses"]:
                await play(bank, course)
        return Answer(signal=0, reached=list(points.reached), answers=answers)


def main(event_store_url: str, document_store_url: str) -> None:
    """One life for each line."""
    settings = OpenBankSettings(
        event_store_url=event_store_url, document_store_url=document_store_url, lease_seconds=0.3, log_level="ERROR"
    )
    lead(lambda life: live(life, settings), document_store_url)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
