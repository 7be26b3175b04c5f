"""What the OpenAPI documents promise, tried with requests that schemathesis makes of them: those that fit, and those
that do not. No answer is a server's error, and each is as it is described."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings, strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from deployment.processes import serving
from tests.integration.test_openbank_process import PERSON
from tests.support.issuer import authorized

pytestmark = pytest.mark.integration
API: Final = "/api/v1"
CHECKS: Final = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance,
]  # fmt: skip
WAITS: Final = "prefer"
"""With this header an answer waits, up to a minute if it is told so."""
CATALOGUE = """
[commands.say]
description = "Says something"
argv = ["echo", "{word}"]
timeout_seconds = 10
parameters.word = { type = "text", pattern = "[a-z]+" }
"""
Known = Mapping[str, Any]


@dataclass(frozen=True)
class Sample:
    """How a sample is started, what is there before, and what can be told of that: ids, by the names of parameters and
    fields, and some values that chance does not find. `keyed`: what an API key alone may do."""

    module: str
    begin: Callable[["Http"], Known]
    told: Mapping[str, str] = field(default_factory=dict[str, str])
    keyed: frozenset[tuple[str, str]] = frozenset()


class Http:
    """Sends what begins a test."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.headers: dict[str, str] = authorized()

    def made(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What a POST answers."""
        answer = requests.post(f"{self._url}{API}{path}", json=body, headers=self.headers, timeout=30)
        assert answer.ok, answer.text
        return dict(answer.json())


def bank(http: Http) -> Known:
    person = http.made("/persons", PERSON)["id"]
    account, other = [http.made("/accounts", {"owner_id": person})["id"] for _ in range(2)]
    paid = http.made("/transactions/deposits", {"account_id": account, "amount": "100.00"})["id"]
    body = {"from_account_id": account, "to_account_id": other, "amount": "1.00"}
    transfer = http.made("/transfers", body)["id"]
    return {
        "person_id": person, "owner_id": person, "account_id": account, "transaction_id": paid, "transfer_id": transfer,
        "from_account_id": account, "to_account_id": other, "stream": f"bank_account-{account}",
        "nationality": "GB", "address": PERSON["address"],
    }  # fmt: skip


def desktop(http: Http) -> Known:
    said = {"command": "say", "arguments": {"word": "hello"}}
    command = http.made("/commands", said)["id"]
    return {"command_id": command, "stream": f"host_command-{command}", **said}


def gateway(http: Http) -> Known:
    body = {"caller_id": "acme", "permissions": ["prompts:create", "prompts:read"], "rate_limit": "10000/minute"}
    key, other = [http.made("/api-keys", body) for _ in range(2)]
    http.headers = {"X-API-Key": key["secret"]}
    prompt = http.made("/prompts", {"kind": "chat", "context": {}})["id"]
    return {"prompt_id": prompt, "key_id": other["id"], "rate_limit": "10/minute"}


OPENBANK: Final = Sample("openbank", bank)
DESKTOP: Final = Sample("desktop_controller", desktop)
GATEWAY: Final = Sample(
    "api_gateway", gateway,
    {"OUTGOING_HOSTS": "caller.invalid"},  # nobody is called at addresses that chance has made
    frozenset({("post", f"{API}/prompts")}),
)  # fmt: skip


def promised(operation: APIOperation[Any, Any, Any, Any], sample: Sample, http: Http, known: Known, url: str) -> None:
    """Sends a few requests of one operation, half of them about what is there, and judges each answer."""
    is_keyed = (operation.method, operation.path) in sample.keyed
    headers = http.headers if is_keyed else authorized()

    @settings(derandomize=True, suppress_health_check=list(HealthCheck))
    @given(
        st.one_of(operation.as_strategy(GenerationMode.POSITIVE), operation.as_strategy(GenerationMode.NEGATIVE)),
        st.booleans(),
    )
    def judge(case: Case[Any], is_there: bool) -> None:
        case.headers.pop(WAITS, None)
        if is_there:
            for part in (case.path_parameters, case.query, case.body):
                if isinstance(part, dict):
                    part.update({name: known[name] for name in part.keys() & known.keys()})
        answer = case.call(base_url=url, session=session, headers=headers, timeout=30)
        case.validate_response(answer, checks=CHECKS, headers=headers)

    with requests.Session() as session:
        session.trust_env = False
        judge()


@contextmanager
def started(sample: Sample, folder: Path) -> Iterator[str]:
    (folder / "commands.toml").write_text(CATALOGUE)
    told = {"COMMANDS_FILE": str(folder / "commands.toml"), "LOG_LEVEL": "ERROR", **sample.told}
    with serving(sample.module, folder, **told) as service:
        yield service.url


@pytest.mark.parametrize("sample", [OPENBANK, DESKTOP, GATEWAY], ids=lambda sample: sample.module)
def test_given_requests_of_every_kind_then_each_answer_is_as_it_is_described(sample: Sample, tmp_path: Path) -> None:
    with started(sample, tmp_path) as url:
        http = Http(url)
        known = sample.begin(http)
        ours = GenerationConfig(with_security_parameters=False)  # credentials are ours to give
        config = SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(generation=ours)))
        schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json", config=config)
        broken, tried = list[Exception](), 0
        for found in schema.get_all_operations():
            operation = found.ok()
            contents = [
                content for one in operation.definition.raw["responses"].values() for content in one.get("content", {})
            ]
            if "text/event-stream" in contents:
                continue  # it goes on until the client leaves
            tried += 1
            try:
                promised(operation, sample, http, known, url)
            except Exception as error:  # noqa: BLE001 - all operations are tried, whatever is wrong with one
                error.add_note(f"{operation.method} {operation.path}")
                broken.append(error)
    assert tried > 10
    if broken:
        raise ExceptionGroup("not as it is described", broken)
