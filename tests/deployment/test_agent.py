"""The stand-in for an agent, as a process: who may call it, and how much it keeps."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deployment.processes import serving

pytestmark = pytest.mark.integration
MOST = 3


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[httpx.Client]:
    told = {"AGENT_PROMPTS": str(MOST), "PYTHONPATH": str(Path(__file__).parents[2])}
    with serving("deployment.agent", tmp_path, **told) as process, httpx.Client(base_url=process.url) as client:
        yield client


def submit(agent: httpx.Client, id: str) -> int:
    prompt = {"prompt_id": id, "attempt": 1, "kind": "item", "context": {"agent": "never"}}
    return agent.post("/submissions", json=prompt, headers={"idempotency-key": id}).status_code


def test_it_takes_a_prompt_once(agent: httpx.Client) -> None:
    assert [submit(agent, id) for id in ("1", "1")] == [202, 409]
    assert agent.get("/submissions").json()["1"]["times"] == 2


def test_it_keeps_the_newest_and_no_more_than_it_may(agent: httpx.Client) -> None:
    assert {submit(agent, id) for id in "12345"} == {202}

    assert [*agent.get("/submissions").json()] == ["3", "4", "5"]


def test_a_page_whose_name_leads_here_sees_nothing(agent: httpx.Client) -> None:
    assert agent.get("/submissions", headers={"host": "evil.example"}).status_code == 400
    assert agent.get("/submissions", headers={"host": "agent:8091"}).status_code == 200
