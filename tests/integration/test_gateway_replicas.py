"""Three gateways on one store are one to a caller: the rate of a key is counted once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from deployment.processes import serving
from tests.support.engines import Backing
from tests.support.issuer import authorized

pytestmark = pytest.mark.integration
START_S = 120
LIMIT = 20
ROUNDS = 12


def test_three_replicas_let_a_caller_through_as_often_as_one_does(tmp_path: Path, backing: Backing) -> None:
    told = {"CALLBACK_SECRET": "a secret that all replicas are told", **backing.environment}
    with ExitStack() as stack:
        gateways = [
            stack.enter_context(serving("api_gateway", tmp_path / name, within=START_S, **told)) for name in "abc"
        ]
        body = {"caller_id": "acme", "permissions": ["prompts:read"], "rate_limit": f"{LIMIT}/hour"}
        http = stack.enter_context(httpx.Client(trust_env=False, timeout=30))
        issued = http.post(f"{gateways[0].url}/api/v1/api-keys", json=body, headers=authorized()).raise_for_status()
        key = {"X-API-Key": issued.json()["secret"]}

        def ask(url: str) -> httpx.Response:
            return http.get(f"{url}/api/v1/prompts", headers=key)

        with ThreadPoolExecutor(len(gateways)) as callers:
            answers = [*callers.map(ask, [gateway.url for gateway in gateways] * ROUNDS)]
        late = [ask(gateway.url) for gateway in gateways]

    assert Counter(answer.status_code for answer in answers) == {200: LIMIT, 429: ROUNDS * len(gateways) - LIMIT}
    assert {answer.status_code for answer in late} == {429}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in late)
