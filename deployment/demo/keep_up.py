"""`make run`: keeps OpenBank up in the foreground, over files in ./data, until Ctrl-C or SIGTERM."""

import os
import signal
import sys
from pathlib import Path

from deployment.demo.identities import identities
from deployment.processes import serving


def main() -> int:
    """Starts the bank, prints where to find it, and waits. Returns 0 when it was told to stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both ways to stop are one
    folder = Path(os.environ.get("DATA_DIR", "data"))
    try:
        port = int(os.environ.get("PORT", "8081"))
        docs = f"http://127.0.0.1:{port}/api/docs"
        with (
            identities(folder / "issuer", port=int(os.environ.get("ISSUER_PORT", "8090")), pages=(docs,)) as issuer,
            serving("openbank", folder, port=port, OAUTH2_ISSUER=issuer.url) as server,
        ):
            token = folder / "operator.token"
            token.touch(mode=0o600)
            token.write_text(issuer.token("operator"))
            print(
                f"OpenBank is up.\n"
                f"  API and documentation   {server.url}/api/docs\n"
                f"  OpenAPI                 {server.url}/api/openapi.json\n"
                f"  health                  {server.url}/health/ready\n"
                f"  databases and logs      {folder}\n"
                f"  who gives out tokens    {issuer.url}; on the page of the API, press Authorize\n"
                f"  a token for ten minutes in {token}, for an operator:\n"
                f"    NEUROGLIA_TOKEN=$(cat {token}) neuroglia --url {server.url} events\n"
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
