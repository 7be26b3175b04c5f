"""What a person types: `make up`, and what `make down` leaves."""

import re
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.e2e.system import SERVICES, prepared

pytestmark = pytest.mark.e2e
OF_OTHERS = {"keycloak", "eventstore"}
"""Stand-ins have no pages."""


def test_make_up_prints_links_that_lead_somewhere_and_make_down_keeps_what_is_stored(
    overrides: Sequence[str], tmp_path: Path
) -> None:
    with prepared(tmp_path, *overrides) as fresh:
        file = f"ENV_FILE={fresh.environment}"
        said = fresh.run("make", "up", file)
        links = dict(re.findall(r"^ +(\S+) +(http://\S+)$", said, re.MULTILINE))

        assert links.keys() == SERVICES.keys() - {"mongo", "agent"}
        assert {name: httpx.get(link).status_code for name, link in links.items() if name not in OF_OTHERS} == (
            dict.fromkeys(links.keys() - OF_OTHERS, 200)
        )
        assert all(httpx.get(links[name]).status_code < 500 for name in OF_OTHERS)

        fresh.run("make", "down", file)

        assert {name.partition("_")[2] for name in fresh.rests()} == {
            "openbank-data", "desktop-data", "gateway-data", "eventstore-data", "eventstore-logs", "mongo-data",
            "mongo-config", "keycloak-data",
        }  # fmt: skip
