"""The stand-in for EventStoreDB is right as far as others can tell: the vendor's own client finds nothing amiss."""

import shutil
import subprocess
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
