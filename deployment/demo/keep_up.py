"""`make run`: keeps OpenBank up in the foreground, over files in ./data, until Ctrl-C."""

import os
import sys
from pathlib import Path

from deployment.processes import start


def main() -> int:
    """Starts the bank, prints where to find it, and waits. Returns its exit code."""
    folder = Path(os.environ.get("DATA_DIR", "data"))
    server = start("openbank", folder, port=int(os.environ.get("PORT", "8081")))
    try:
        server.wait_until_ready()
        print(
            f"OpenBank is up.\n"
            f"  API and documentation   {server.url}/api/docs\n"
            f"  OpenAPI                 {server.url}/api/openapi.json\n"
            f"  health                  {server.url}/health/ready\n"
            f"  logs (JSON lines)       {server.stdout}\n"
            f"  databases               {folder / 'data'}\n"
            f"Ctrl-C stops it."
        )
        return server.process.wait()
    except (RuntimeError, TimeoutError) as error:
        print(f"OpenBank did not start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return server.terminate()
    finally:
        if server.process.poll() is None:
            server.kill()


if __name__ == "__main__":
    sys.exit(main())
