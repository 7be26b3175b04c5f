"""Ctrl-C ends what was started, with nothing on the screen that looks like a mistake."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deployment.processes import serving

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
SECONDS = 60.0


@pytest.mark.parametrize("module", ["openbank", "desktop_controller", "api_gateway"])
def test_given_a_service_when_interrupted_then_it_ends_in_order_and_without_a_traceback(
    module: str, tmp_path: Path
) -> None:
    with serving(module, tmp_path, COMMANDS_FILE=str(ROOT / "desktop-controller/commands.toml")) as service:
        service.process.send_signal(signal.SIGINT)
        assert service.wait() == 0

    assert [line["message"] for line in service.lines].count("stopping") == 1
    assert service.stderr.read_text() == ""


def test_given_the_demo_when_interrupted_then_it_says_so_and_all_that_it_has_started_ends(tmp_path: Path) -> None:
    port = None
    with subprocess.Popen(
        [sys.executable, "-m", "deployment.demo"],
        cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1", "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as demo:  # fmt: skip
        assert demo.stdout is not None
        while demo.poll() is None and port is None:
            port = re.search(r"runs at http://127\.0\.0\.1:(\d+)", demo.stdout.readline())
        assert port is not None
        os.killpg(demo.pid, signal.SIGINT)  # as a terminal does
        _, errors = demo.communicate(timeout=SECONDS)

    assert (demo.returncode, errors) == (130, "\nThe demo was stopped.\n")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(port[1]))) != 0
    assert list(tmp_path.iterdir()) == []
