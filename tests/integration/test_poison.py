"""An event that kills whoever handles it is parked after so many deaths, and the service goes on."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.processes import ServiceProcess, start, until
from neuroglia.event_sourcing.handlers import ATTEMPTS
from tests.support.engines import Backing
from tests.support.issuer import authorized

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
SECONDS = 15.0


def start_fragile(folder: Path, backing: Backing) -> ServiceProcess:
    return start(
        "tests.integration.apps.fragile", folder, PYTHONPATH=str(ROOT), LEASE_SECONDS="0.3", **backing.environment
    )


def subscription(service: ServiceProcess) -> dict[str, Any]:
    ready = httpx.get(f"{service.url}/health/ready", verify=False).json()
    found: dict[str, Any] = next(one for one in ready["subscriptions"] if one["name"] == "CupProjection")
    return found


def test_given_an_event_that_kills_the_process_then_it_is_parked_and_the_rest_is_shown(
    tmp_path: Path, backing: Backing
) -> None:
    service = start_fragile(tmp_path, backing)
    service.wait_until_ready()
    with httpx.Client(base_url=f"{service.url}/api/v1", verify=False, headers=authorized()) as http:
        doomed, healthy = (http.post("/cups").json()["id"] for _ in range(2))
        http.post(f"/cups/{doomed}/fillings", params={"deadly": True})
    deaths = 1
    assert service.wait() == -9

    while (service := start_fragile(tmp_path, backing)) and not lives_on(service):
        assert service.process.returncode == -9
        deaths += 1

    try:
        assert deaths == 1 + ATTEMPTS  # once among others, and then by itself
        with httpx.Client(base_url=f"{service.url}/api/v1", verify=False, headers=authorized()) as http:
            http.post(f"/cups/{doomed}/fillings")
            http.post(f"/cups/{healthy}/fillings")
            until(
                lambda: http.get(f"/cups/{healthy}").json() == {"id": healthy, "fillings": 2}, "the read model", SECONDS
            )
            assert http.get(f"/cups/{doomed}").json() == {"id": doomed, "fillings": 1}
        assert (subscription(service)["state"], subscription(service)["parked"]) == ("live", 1)
    finally:
        service.terminate()


def lives_on(service: ServiceProcess) -> bool:
    """Whether it parks the event, or (if not) has died of it."""

    def is_parked() -> bool:
        try:
            return bool(subscription(service)["parked"])
        except httpx.TransportError:
            return False

    until(lambda: is_parked() or service.process.poll() is not None, "life or death", SECONDS)
    return service.process.poll() is None
