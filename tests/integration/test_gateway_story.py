"""The gateway among real neighbours: an issuer, an agent and a caller's server, all on loopback."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from deployment.agent.process import RunningAgent, acting
from deployment.demo.receiver import Receiver, receiving
from deployment.issuer.process import RunningIssuer, issuing
from deployment.processes import ServiceProcess, free_port, serving, until

pytestmark = pytest.mark.integration
CLIENTS = {"agent": ["prompts:respond"], "administrator": ["gateway:admin"]}
_SECONDS = 30.0


@dataclass
class Neighbourhood:
    """All of them, and a caller with a key."""

    gateway: ServiceProcess
    agent: RunningAgent
    receiver: Receiver
    key: str

    def send(self, context: dict[str, Any], **more: str) -> str:
        """The id of a new prompt."""
        answer = self._ask("POST", "", {"kind": "item", "context": context, **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def prompt(self, id: str) -> dict[str, Any]:
        """A prompt as it is now."""
        return dict(self._ask("GET", f"/{id}").raise_for_status().json())

    def is_in(self, id: str, status: str) -> dict[str, Any]:
        """The prompt, once it has this status."""
        until(lambda: self.prompt(id)["status"] == status, f"the prompt to be {status}: {self.prompt(id)}", _SECONDS)
        return self.prompt(id)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        url = f"{self.gateway.url}/api/v1/prompts{path}"
        return httpx.request(method, url, json=body, headers={"X-API-Key": self.key}, trust_env=False)


def key_for(gateway: ServiceProcess, issuer: RunningIssuer) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {issuer.token('administrator')}"}
    body = {"caller_id": "partner", "permissions": ["prompts:create", "prompts:read"], "rate_limit": "10000/minute"}
    answer = httpx.post(f"{gateway.url}/api/v1/api-keys", json=body, headers=headers, trust_env=False)
    return dict(answer.raise_for_status().json())


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbourhood]:
    folder, port = tmp_path_factory.mktemp("gateway"), free_port()
    with ExitStack() as stack:
        issuer = stack.enter_context(issuing(folder / "issuer", CLIENTS))
        agent = stack.enter_context(acting(folder / "agent", f"http://127.0.0.1:{port}", issuer))
        receiver = stack.enter_context(receiving())
        told = {
            "OAUTH2_ISSUER": issuer.url,
            "GENAI_URL": agent.genai_url,
            "OUTGOING_ALLOW_HTTP": "true",
            "OUTGOING_PORTS": "1024-65535",
            "OUTGOING_ALLOWED_NETWORKS": "127.0.0.1/32",
        }
        gateway = stack.enter_context(serving("api_gateway", folder / "gateway", port=port, **told))
        issued = key_for(gateway, issuer)
        receiver.secrets.append(issued["callback_secret"])
        yield Neighbourhood(gateway, agent, receiver, issued["secret"])


@pytest.fixture
def nothing_came(around: Neighbourhood) -> Neighbourhood:
    around.receiver.callbacks.clear()
    around.receiver.answers.clear()
    return around


def test_an_answer_comes_back_from_the_agent_and_goes_on_to_the_caller(nothing_came: Neighbourhood) -> None:
    around = nothing_came
    id = around.send({"say": "hello"}, callback_url=around.receiver.url)

    prompt = around.is_in(id, "responded")

    assert prompt["response"]["echo"] == {"say": "hello"}
    (callback,) = around.receiver.callbacks
    assert (callback.id, callback.body["response"]) == (id, prompt["response"])
    assert (around.receiver.refused, around.agent.taken()[f"{id}:1"]["statuses"]) == (0, [200])


def test_a_caller_s_server_that_is_down_for_a_while_is_told_later(nothing_came: Neighbourhood) -> None:
    around = nothing_came
    around.receiver.answers += [503, 500]
    id = around.send({}, callback_url=around.receiver.url)

    around.is_in(id, "responded")

    assert [callback.status for callback in around.receiver.callbacks] == [503, 500, 204]
    assert {callback.id for callback in around.receiver.callbacks} == {id}
    assert [callback.attempt for callback in around.receiver.callbacks] == [1, 2, 3]


def test_a_caller_s_server_that_wants_nothing_is_told_once(nothing_came: Neighbourhood) -> None:
    around = nothing_came
    around.receiver.answers.append(410)
    id = around.send({}, callback_url=around.receiver.url)

    assert around.is_in(id, "faulted")["response"]["text"]
    assert len(around.receiver.callbacks) == 1


@pytest.mark.parametrize(("manner", "statuses"), [("twice", [200, 200]), ("differently", [200, 409])])
def test_an_agent_that_answers_twice_is_believed_once(
    manner: str, statuses: list[int], nothing_came: Neighbourhood
) -> None:
    around = nothing_came
    id = around.send({"agent": manner})

    prompt = around.is_in(id, "completed")
    until(lambda: len(around.agent.taken()[f"{id}:1"]["statuses"]) == 2, "both answers", _SECONDS)

    assert around.agent.taken()[f"{id}:1"]["statuses"] == statuses
    assert around.prompt(id) == prompt
    assert prompt["response"]["text"] == "This is an answer."


def test_an_agent_that_refuses_faults_the_prompt(nothing_came: Neighbourhood) -> None:
    around = nothing_came
    id = around.send({"agent": "refuse"})

    assert around.is_in(id, "faulted")["response"] is None
    assert f"{id}:1" not in around.agent.taken()


def test_an_agent_that_never_answers_has_taken_the_prompt(nothing_came: Neighbourhood) -> None:
    around = nothing_came
    id = around.send({"agent": "never"})

    until(lambda: f"{id}:1" in around.agent.taken(), "the prompt to arrive", _SECONDS)

    assert around.is_in(id, "submitted")["attempts"] == 1
    assert around.agent.taken()[f"{id}:1"]["times"] == 1


def test_data_is_fetched_before_the_agent_is_asked(nothing_came: Neighbourhood) -> None:
    around = nothing_came
    page = f"http://127.0.0.1:{around.gateway.port}/api/openapi.json"
    id = around.send({}, data_url=page)

    prompt = around.is_in(id, "completed")

    assert prompt["data_object"]["media_type"] == "application/json"
    assert prompt["response"]["data_sha256"] == prompt["data_object"]["sha256"]


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest/", "http://10.0.0.1/", "https://user@example.com/"])
def test_addresses_inside_are_not_taken_from_a_caller(url: str, around: Neighbourhood) -> None:
    for name in ("callback_url", "data_url"):
        answer = around._ask("POST", "", {"kind": "item", "context": {}, name: url})
        assert answer.status_code == 422
