"""`make demo`: plays the story on a free port over files in a fresh folder, and ends with the first difference."""

import sys
import tempfile
import time
from pathlib import Path

import httpx

from deployment.demo import openbank_story
from deployment.demo.narrator import Difference, Narrator
from deployment.processes import start


def main() -> int:
    """Plays all stories. Returns 0, or 1 at the first difference."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="neuroglia-demo-") as name:
        folder = Path(name)
        server = start("openbank", folder)
        try:
            server.wait_until_ready()
            with httpx.Client(base_url=server.url, timeout=30) as client:
                narrator = Narrator(client)
                server = openbank_story.play(narrator, server, folder)
        except (Difference, RuntimeError, TimeoutError, httpx.HTTPError) as difference:
            print(f"\nThe demo stopped: {difference}\n\nThe server's last words:\n{server.output()}", file=sys.stderr)
            return 1
        finally:
            if server.process.poll() is None:
                server.terminate()
    print(f"\nDone: {narrator.requests} requests, each answered as promised, in {time.monotonic() - begun:.1f} s.")
    print("Next: `make run` keeps the bank up, with its documentation at http://127.0.0.1:8081/api/docs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
