"""`make run`: keeps OpenBank up in the foreground, over files in ./data, until Ctrl-C or SIGTERM."""

import os
import signal
import sys
from pathlib import Path

from deployment.processes import serving


def main() -> int:
    """Starts the bank, prints where to find it, and waits. Returns 0 when it was told to stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both ways to stop are one
    folder = Path(os.environ.get("DATA_DIR", "data"))
    try:
        with serving("openbank", folder, port=int(os.environ.get("PORT", "8081"))) as server:
            print(
                f"OpenBank is up.\n"
                f"  API and documentation   {server.url}/api/docs\n"
                f"  OpenAPI                 {server.url}/api/openapi.json\n"
                f"  health                  {server.url}/health/ready\n"
                f"  databases and logs      {folder}\n"
                f"Ctrl-C stops it.",
                flush=True,
            )
            return server.process.wait()
    except (RuntimeError, TimeoutError) as error:
        print(f"OpenBank did not start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
