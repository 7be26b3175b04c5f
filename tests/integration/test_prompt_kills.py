"""kill -9 at random moments under a load of prompts: each is final in the end, submitted once for each attempt, and its
caller was told."""

import asyncio
import hashlib
import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.demo.receiver import Receiver, receiving
from deployment.processes import free_port, serving
from tests.api_gateway.neighbours import Neighbours, data_of, living_around, response_of
from tests.integration.test_prompt_deaths import objects_in
from tests.support.engines import Backing
from tests.support.issuer import authorized
from tests.support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("after_kills")]
SENDERS = 8
START_S = 120
"""So many processes die here that some may start on a machine that is very busy."""
LIMIT_S = 300
PATIENCE_S = 60
"""For those that can only expire: their process died between the store and the agent."""


@dataclass
class Load:
    """Senders and an agent that outlive each gateway.

    Attributes:
        left: the marks that nobody has sent yet; `with_data` of them have a package.
        accepted: the ids of the prompts that the gateway has acknowledged, by their marks.
    """

    url: str
    around: Neighbours
    receiver: Receiver
    left: list[str]
    key: dict[str, str] = field(default_factory=dict[str, str])
    accepted: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def progress(self) -> int:
        """Grows with each prompt that was accepted, and with each whose caller was told."""
        return len(self.accepted) + len({callback.id for callback in self.receiver.callbacks})

    async def send(self, http: httpx.AsyncClient) -> None:
        """Sends one prompt after the other. Who got no answer sends the same again."""
        while self.left:
            mark = self.left.pop()
            body = {"kind": "chat", "context": {"mark": mark}, "request_id": mark, "callback_url": self.receiver.url}
            if has_data(mark):
                body["data_url"] = f"{self.around.url}/data/{mark}"
            while mark not in self.accepted:
                if (answer := await self._post(http, "/prompts", body, self.key)) is not None:
                    assert answer.status_code in {200, 201}, answer.text
                    self.accepted[mark] = answer.json()["id"]

    async def answer(self, http: httpx.AsyncClient) -> None:
        """What the agent has taken is answered, until somebody stops it."""
        brought = set[str]()
        while True:
            for key in set(self.around.submitted) - brought:
                id, _, attempt = key.partition(":")
                body = {"response": response_of(key), "attempt": int(attempt)}
                answer = await self._post(http, f"/internal/prompts/{id}/response", body, authorized())
                if answer is not None:
                    assert answer.status_code in {200, 409}, answer.text  # 409: it has expired
                    brought.add(key)
            await asyncio.sleep(0.01)

    async def _post(
        self, http: httpx.AsyncClient, path: str, body: dict[str, Any], headers: dict[str, str]
    ) -> httpx.Response | None:
        """The answer. None: there is none, or not yet."""
        try:
            answer = await http.post(path, json=body, headers=headers)
        except httpx.TransportError:
            await asyncio.sleep(0.02)
            return None
        return None if answer.is_server_error else answer


def has_data(mark: str) -> bool:
    return int(mark) % 4 == 0


async def key_for(http: httpx.AsyncClient, load: Load) -> None:
    """The caller's."""
    body = {"caller_id": "acme", "permissions": ["prompts:create", "prompts:read"], "rate_limit": "10000/minute"}
    issued = (await http.post("/api-keys", json=body, headers=authorized())).raise_for_status().json()
    load.key = {"X-API-Key": issued["secret"]}
    load.receiver.secrets.append(issued["callback_secret"])


async def all_prompts(http: httpx.AsyncClient) -> Sequence[dict[str, Any]]:
    found, parameters = list[dict[str, Any]](), {"limit": "200"}
    while True:
        page = (await http.get("/prompts", params=parameters, headers=authorized())).raise_for_status().json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        parameters["cursor"] = page["next_cursor"]


@pytest.mark.parametrize(
    ("prompts", "kills"),
    [pytest.param(200, 20, id="20"), pytest.param(1000, 100, id="100", marks=pytest.mark.torture)],
)
async def test_given_random_kills_then_each_prompt_is_final_and_was_submitted_once(
    tmp_path: Path, backing: Backing, prompts: int, kills: int
) -> None:
    seed = int(os.environ.get("KILL_SEED", random.randrange(10**6)))  # a failure tells the seed in its output
    print("KILL_SEED", seed)  # noqa: T201
    moments = sorted(random.Random(seed).sample(range(1, prompts + prompts // 4), kills))
    port = free_port()
    with living_around() as around, receiving() as receiver:
        told = {
            "GENAI_URL": f"agent+{around.url}", "LEASE_SECONDS": "0.3", "LOG_LEVEL": "ERROR",
            "PROMPT_TIMEOUT": str(PATIENCE_S), "OUTGOING_ALLOW_HTTP": "true", "OUTGOING_PORTS": "1024-65535",
            "OUTGOING_ALLOWED_NETWORKS": "127.0.0.1/32", **backing.environment,
        }  # fmt: skip

        def started() -> Any:
            return serving("api_gateway", tmp_path, port=port, within=START_S, **told)

        load = Load(f"http://127.0.0.1:{port}", around, receiver, [str(number) for number in range(prompts)])
        async with httpx.AsyncClient(base_url=f"{load.url}/api/v1", timeout=30, trust_env=False) as http:

            async def reached(moment: int) -> None:
                async def is_so() -> bool:
                    if load.progress >= moment:
                        return True
                    return len(load.accepted) == prompts and all(one["is_final"] for one in await all_prompts(http))

                await eventually(is_so, LIMIT_S)

            async with asyncio.TaskGroup() as group:
                tasks = list[asyncio.Task[None]]()
                for moment in moments:
                    with started() as gateway:
                        if not tasks:
                            await key_for(http, load)
                            tasks = [group.create_task(load.send(http)) for _ in range(SENDERS)]
                            tasks.append(group.create_task(load.answer(http)))
                        await reached(max(moment, load.progress + 1))
                        gateway.kill()
                with started():

                    async def all_final() -> bool:
                        return all(task.done() for task in tasks[:-1]) and all(
                            one["is_final"] for one in await all_prompts(http)
                        )

                    await eventually(all_final, LIMIT_S)
                    ended = await all_prompts(http)
                    tasks[-1].cancel()

    assert {prompt["request_id"]: prompt["id"] for prompt in ended} == load.accepted
    assert len(ended) == prompts
    told_ids = Counter(callback.id for callback in receiver.callbacks)
    for prompt in ended:
        bodies = {callback.content for callback in receiver.callbacks if callback.id == prompt["id"]}
        if prompt["status"] == "responded":
            assert len(bodies) == 1, "told at least once, and each time the same"
            assert prompt["response"] == response_of(f"{prompt['id']}:{prompt['attempts']}")
        else:
            assert prompt["error"]["code"] in {"submission-unclear", "expired"}, prompt
            assert not bodies
    assert set(told_ids) <= {prompt["id"] for prompt in ended}
    assert sum(around.submitted.values()) == len(around.submitted), "no key came twice"
    assert Counter(prompt["status"] for prompt in ended)["responded"] >= prompts - kills * SENDERS
    assert receiver.refused == 0
    whole = {
        prompt["id"]: hashlib.sha256(data_of(prompt["request_id"])).hexdigest()
        for prompt in ended
        if prompt["data_url"]
    }
    assert objects_in(tmp_path).items() <= whole.items()
    assert {prompt["id"] for prompt in ended if prompt["data_object"]} <= set(objects_in(tmp_path))
