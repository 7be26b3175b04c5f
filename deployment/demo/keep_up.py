"""`make run`: keeps OpenBank up in the foreground, over files in ./data, until Ctrl-C."""

import os
import sys
from pathlib import Path

from deployment.demo.server import Server


def main() -> int:
    """Starts the bank, prints where to find it, and waits. Returns its exit code."""
    port = int(os.environ.get("PORT", "8081"))
    server = Server("openbank", Path(os.environ.get("DATA_DIR", "data")), port=port)
    try:
        server.start()
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"OpenBank is up.\n"
        f"  API and documentation   {server.url}/api/docs\n"
        f"  OpenAPI                 {server.url}/api/openapi.json\n"
        f"  health                  {server.url}/health/ready\n"
        f"  logs (JSON lines)       {server.log}\n"
        f"  databases               {server.data}\n"
        f"Ctrl-C stops it."
    )
    try:
        return server.wait()
    except KeyboardInterrupt:
        return server.stop()


if __name__ == "__main__":
    sys.exit(main())
