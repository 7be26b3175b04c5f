"""The override for developers: a sample runs from the sources, starts anew when one is saved, and takes a debugger."""

import json
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from deployment.processes import until
from tests.e2e.system import ROOT, START_S, System, system

pytestmark = pytest.mark.e2e
SAVED = ROOT / "openbank/src/openbank/main.py"


def starts(developed: System) -> int:
    """How often the bank has started, as it says itself."""
    lines = developed.container("openbank").logs(stdout=True, stderr=False).decode().splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{")]
    return len([line for line in said if line.get("message") == "started"])


def test_a_sample_starts_anew_when_a_source_is_saved_and_takes_a_debugger(
    overrides: Sequence[str], tmp_path: Path
) -> None:
    with system(tmp_path, *overrides, "dev", services=["openbank"]) as developed:
        before = starts(developed)
        assert before > 0

        SAVED.touch()

        until(lambda: starts(developed) > before, "the bank to start anew", START_S)
        developed.until_healthy("openbank")
        with socket.create_connection(("127.0.0.1", int(developed.told["OPENBANK_DEBUG_PORT"])), timeout=5) as debugger:
            assert debugger.recv(16).startswith(b"Content-Length: ")
        written = developed.container("openbank").exec_run(["touch", "/src/sample/openbank/main.py"])
        assert written.exit_code != 0
