"""The services that `make bench` compares start and answer: a figure of a service that is down would be none."""

import pytest

from tests.benchmarks.servers import free_port, post_request, started, wait_for_200

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("name", ["bare", "direct", "mediated"])
def test_each_service_answers(name: str) -> None:
    port = free_port()
    with started(f"tests.benchmarks.apps.{name}", str(port)):
        wait_for_200(post_request(port), port)
