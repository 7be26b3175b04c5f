"""What a person types: `make up`, `make logs`, and what `make down` leaves."""

import os
import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.e2e.system import ROOT, SERVICES, System, prepared

pytestmark = pytest.mark.e2e
OF_OTHERS = {"keycloak", "eventstore"}
"""Stand-ins have no pages."""


def logged(running: System, file: str, service: str) -> str:
    """A line of a service that `make logs` shows, while it follows them."""
    command = ["timeout", "--foreground", "60", "make", "logs", file]
    with subprocess.Popen(
        command, cwd=ROOT, env=running.variables, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as logs:
        assert logs.stdout is not None
        line = next((line for line in logs.stdout if f"{service}-1 " in line), "")
        os.killpg(logs.pid, signal.SIGTERM)
    return line


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

        forgotten = f"ENV_FILE={tmp_path / 'removed'}"
        assert logged(fresh, forgotten, "openbank")
        fresh.run("make", "down", forgotten)

        assert {name.partition("_")[2] for name in fresh.rests()} == {
            "openbank-data", "desktop-data", "gateway-data", "eventstore-data", "eventstore-logs", "mongo-data",
            "mongo-config", "keycloak-data",
        }  # fmt: skip
