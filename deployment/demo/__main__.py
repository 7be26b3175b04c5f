"""`make demo`: plays the stories on free ports over files in a fresh folder, and ends with the first difference."""

import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

from deployment.demo import desktop_story, gateway_story, openbank_story
from deployment.demo.identities import identities
from deployment.demo.narrator import Difference, Narrator

_LAST_LINES = 20
_NEXT = (
    "Next: `make run` keeps OpenBank, the Desktop Controller and the API Gateway up, `make up` does so\n"
    "in containers: http://127.0.0.1:8081/api/docs, :8082/api/docs and :8083/api/docs"
)


def main() -> int:
    """Plays all stories. Returns 0, 1 at the first difference, or what shells return when somebody stopped it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # however it ends, the servers end with it
    begun = time.monotonic()
    narrator = Narrator()
    with tempfile.TemporaryDirectory(prefix="neuroglia-demo-") as name:
        folder = Path(name)
        try:
            with ExitStack() as running:
                issuer = running.enter_context(identities(folder / "issuer"))
                openbank_story.play(narrator, folder, running, issuer)
                folder = Path(name) / "desktop"
                desktop_story.play(narrator, folder, running, issuer)
                folder = Path(name) / "gateway"
                gateway_story.play(narrator, folder, running, issuer)
        except (Difference, RuntimeError, TimeoutError, httpx.HTTPError) as difference:
            words = (folder / "stdout.log").read_text().splitlines()[-_LAST_LINES:]
            print(f"\nThe demo stopped: {difference}\n\nThe server's last words:", *words, sep="\n", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nThe demo was stopped.", file=sys.stderr)
            return 128 + signal.SIGINT
    print(f"\nDone: {narrator.requests} requests, each answered as promised, in {time.monotonic() - begun:.1f} s.")
    print(_NEXT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
