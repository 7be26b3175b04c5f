"""Three replicas on one store: each job runs once, and what a dead one leaves is done by the others."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.processes import ServiceProcess, start, until
from neuroglia.core import parse_utc
from tests.support.engines import Backing
from tests.support.issuer import authorized

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("after_kills")]
ROOT = Path(__file__).parents[2]
SECONDS = 120.0
JOBS = "/operations/jobs"


@dataclass
class Crew:
    """Replicas of the busy service."""

    folder: Path
    backing: Backing
    replicas: list[ServiceProcess]
    settings: dict[str, str]

    def join(self) -> ServiceProcess:
        name = str(len(self.replicas))
        self.replicas.append(
            start(
                "tests.integration.apps.busy", self.folder / name, PYTHONPATH=str(ROOT),
                BEGUN=str(self.folder / "begun"), **{"LEASE_SECONDS": "3", **self.settings}, **self.backing.environment,
            )
        )  # fmt: skip
        return self.replicas[-1]

    def gather(self) -> None:
        """Waits until all of them are ready."""
        for replica in self.living:
            replica.wait_until_ready(SECONDS)

    @property
    def living(self) -> Sequence[ServiceProcess]:
        return [one for one in self.replicas if one.process.poll() is None]

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """Asks one that lives; another one if it dies of that."""
        while True:
            asked = self.living[-1]
            url = f"{asked.url}/api/v1{path}"
            try:
                answer = httpx.request(method, url, headers=authorized(), verify=False, timeout=30, **request)
            except httpx.TransportError:
                asked.wait()
                continue
            answer.raise_for_status()
            return answer.json()

    def all(self, path: str, **parameters: Any) -> list[Any]:
        """The items of all pages."""
        found: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.ask("GET", path, params={"limit": 200, **parameters, **cursor})
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = {"after" if path == JOBS else "cursor": page["next_cursor"]}

    def burden(self, *loads: dict[str, Any]) -> None:
        for begin in range(0, len(loads), 100):
            self.ask("POST", "/efforts", json=loads[begin : begin + 100])

    def efforts(self) -> dict[str, int]:
        return {effort["id"]: effort["count"] for effort in self.all("/efforts")}

    def begun(self) -> list[list[str]]:
        """Name, process and attempt of each time that a job was begun."""
        file = self.folder / "begun"
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []

    def jobs(self, task: str, state: str) -> list[Any]:
        return [job for job in self.all(JOBS, state=state) if job["body"]["task"] == task]

    def has_done(self, count: int) -> None:
        """Waits until so many jobs are done. The file tells when it is time to ask, for long lists cost the replicas
        the time that they need for jobs."""
        until(lambda: len({name for name, _, _ in self.begun()}) >= count, f"{count} jobs to be begun", SECONDS)
        until(lambda: not self.jobs("carry", "waiting") + self.jobs("carry", "running"), "all to be ended", SECONDS)
        assert len(self.jobs("carry", "done")) == count


@pytest.fixture
def crew(tmp_path: Path, backing: Backing, request: pytest.FixtureRequest) -> Iterator[Crew]:
    crew = Crew(tmp_path, backing, [], getattr(request, "param", {}))
    try:
        for _ in range(3):
            crew.join()
        crew.gather()
        yield crew
    finally:
        for replica in crew.living:
            replica.kill()


def loads(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"name": f"load-{number:03}", **more} for number in range(count)]


@pytest.mark.parametrize("crew", [{"LEASE_SECONDS": "60"}], indirect=True)  # nobody dies, however busy the machine is
def test_given_three_replicas_and_500_jobs_then_each_runs_once_and_all_have_taken_part(crew: Crew) -> None:
    crew.burden(*loads(500, seconds=0.1))  # as long as the others need to see that there is something to do

    crew.has_done(500)

    assert Counter(name for name, _, _ in crew.begun()) == {load["name"]: 1 for load in loads(500)}
    assert crew.efforts() == {load["name"]: 1 for load in loads(500)}
    assert len({pid for _, pid, _ in crew.begun()}) == 3


def test_given_a_replica_that_is_killed_then_its_jobs_are_done_by_others_and_what_they_store_is_stored_once(
    crew: Crew,
) -> None:
    crew.burden(*loads(60, seconds=0.2))

    def at_work() -> list[str]:
        return [pid for pid, count in Counter(pid for _, pid, _ in crew.begun()).items() if count >= 4]

    until(lambda: bool(at_work()), "one of them to be at work", SECONDS)
    next(one for one in crew.replicas if str(one.process.pid) in at_work()).kill()

    crew.has_done(60)
    assert crew.efforts() == {load["name"]: 1 for load in loads(60)}
    again = [name for name, _, attempt in crew.begun() if attempt == "2"]
    assert again
    assert {name for name, _, _ in crew.begun()} == {load["name"] for load in loads(60)}
    assert len(crew.begun()) <= 60 + len(again)  # what was claimed at the kill had not always begun


def test_given_a_replica_that_is_told_to_end_then_it_finishes_or_hands_back_and_nothing_counts_twice(
    crew: Crew,
) -> None:
    crew.burden(*loads(60, seconds=0.2))
    until(lambda: len(crew.begun()) >= 12, "the jobs to have begun", SECONDS)

    assert crew.replicas[0].terminate() in {0, -signal.SIGTERM}

    crew.has_done(60)
    assert Counter(name for name, _, _ in crew.begun()) == {load["name"]: 1 for load in loads(60)}
    assert {attempt for _, _, attempt in crew.begun()} == {"1"}


def test_given_a_job_that_is_too_long_for_the_end_of_its_process_then_it_is_handed_back(crew: Crew) -> None:
    crew.burden({"name": "long", "seconds": 20.0})
    until(lambda: len(crew.begun()) == 1, "the job to have begun", SECONDS)
    (busy,) = [one for one in crew.replicas if str(one.process.pid) == crew.begun()[0][1]]

    assert busy.terminate() in {0, -signal.SIGTERM}

    until(lambda: len(crew.begun()) == 2, "another one to have begun it", SECONDS)
    (job,) = crew.jobs("carry", "running")
    assert (job["attempts"], job["waits"]) == (1, 1)


def test_given_a_job_that_kills_whoever_tries_it_then_it_is_dead_and_a_retry_gives_it_all_its_attempts(
    crew: Crew,
) -> None:
    crew.burden({"name": "deadly", "deadly": True})

    until(lambda: bool(crew.jobs("carry", "parked")), "the job to be parked", SECONDS)
    (job,) = crew.jobs("carry", "parked")
    assert (job["error"], len(crew.begun()), len(crew.living)) == ("ProcessDied", 2, 1)
    crew.burden(*loads(3))
    crew.has_done(3)

    crew.join()
    crew.join()
    crew.gather()
    crew.ask("POST", f"{JOBS}/{job['id']}/retry")

    until(lambda: len(crew.begun()) == 7 and bool(crew.jobs("carry", "parked")), "two more deaths", SECONDS)


@pytest.mark.parametrize("crew", [{"TICK": "true"}], indirect=True)
def test_given_three_replicas_then_each_time_of_a_task_comes_once_though_they_stop_and_start(crew: Crew) -> None:
    until(lambda: len(crew.begun()) >= 2, "two ticks", SECONDS)
    for victim in list(crew.replicas):  # for a while, nobody is there
        os.kill(victim.process.pid, signal.SIGKILL)
        victim.wait()
    crew.join()
    crew.join()
    crew.gather()
    seen = len(crew.begun())
    until(lambda: len(crew.efforts()) >= seen + 3, "three more ticks", SECONDS)

    counts = crew.efforts()

    assert set(counts.values()) == {1}
    times = sorted(parse_utc(key.removeprefix("tick@")) for key in counts)
    assert [later - earlier for earlier, later in pairwise(times)] == [timedelta(seconds=1) for _ in times[1:]]


def test_the_story_of_an_operator(crew: Crew) -> None:
    def neuroglia(*arguments: str, code: int = 0) -> str:
        program = [str(Path(sys.executable).parent / "neuroglia"), "--url", crew.living[-1].url, "jobs", *arguments]
        environment = {**os.environ, "COLUMNS": "200", "NEUROGLIA_TOKEN": os.environ["TESTS_TOKEN"]}
        done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return (done.stdout + done.stderr).strip()

    id = neuroglia("run", "carry", json.dumps({"name": "by hand", "seconds": 600}), "--key", "k")
    assert neuroglia("run", "carry", json.dumps({"name": "again"}), "--key", "k") == id
    until(lambda: bool(crew.jobs("carry", "running")), "the job to run", SECONDS)
    listed = json.loads(neuroglia("list", "--state", "running", "--json"))
    assert [(job["id"], job["task"]) for job in listed] == [(id, "carry")]
    assert id in neuroglia("list")
    assert "by hand" in neuroglia("show", id)
    assert neuroglia("list", "--queue", "inbox", "--json") == "[]"

    neuroglia("cancel", id)

    assert json.loads(neuroglia("show", id, "--json"))[0]["state"] == "discarded"
    assert "409" in neuroglia("cancel", id, code=2)
    neuroglia("retry", id)
    until(lambda: len(crew.begun()) == 2, "it to be begun again", SECONDS)
    assert "/arguments/name" in neuroglia("run", "carry", '{"name": 5}', code=2)
    assert "404" in neuroglia("run", "nothing", code=2)
    assert "JSON" in neuroglia("run", "carry", "{", code=2)
