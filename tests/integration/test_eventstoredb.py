"""EventStoreDB as a whole: the stand-in before the vendor's own client, and OpenBank on it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.eventstoredb.process import ROOT, StandIn

WITNESS = ROOT / "tests/support/eventstoredb/witness"

pytestmark = pytest.mark.integration


def test_given_the_vendors_client_when_it_uses_the_stand_in_then_all_is_as_with_the_real_server(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node to run the vendor's client")
    if not (WITNESS / "node_modules").is_dir():
        pytest.skip(
            f"the vendor's client is not installed: npm ci --ignore-scripts --prefix {WITNESS.relative_to(ROOT)}"
        )
    server = StandIn(tmp_path / "log").start()
    try:
        done = subprocess.run(
            [node, str(WITNESS / "witness.js"), server.url], capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        server.kill()

    assert (done.returncode, done.stdout, done.stderr) == (0, "witnessed\n", "")


def test_given_eventstoredb_when_openbank_plays_its_story_then_it_goes_as_on_the_embedded_store(tmp_path: Path) -> None:
    server = StandIn(tmp_path / "log").start()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "deployment.demo"],
            env={**os.environ, "EVENT_STORE_URL": server.url},
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    finally:
        server.kill()

    assert done.returncode == 0, done.stdout + done.stderr
    assert "bank_account-" in (tmp_path / "log").read_text()
