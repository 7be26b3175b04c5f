"""`make run`: keeps OpenBank and the API Gateway up in the foreground, over files in ./data, until Ctrl-C (SIGTERM)."""

import math
import os
import signal
import sys
from pathlib import Path

from deployment.demo.identities import identities
from deployment.processes import ServiceProcess, serving, until


def main() -> int:
    """Starts both, prints where to find them, and waits. Returns 0 when it was told to stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both ways to stop are one
    folder = Path(os.environ.get("DATA_DIR", "data"))
    try:
        ports = [int(os.environ.get(name, usual)) for name, usual in (("PORT", "8081"), ("GATEWAY_PORT", "8083"))]
        pages = tuple(f"http://127.0.0.1:{port}/api/docs" for port in ports)
        with (
            identities(folder / "issuer", port=int(os.environ.get("ISSUER_PORT", "8090")), pages=pages) as issuer,
            serving("openbank", folder, port=ports[0], OAUTH2_ISSUER=issuer.url) as bank,
            serving(
                "api_gateway", folder / "gateway", port=ports[1], OAUTH2_ISSUER=issuer.url,
                DOCUMENT_STORE_URL="sqlite:///{DATA_DIR}/documents.db",  # one of its own, wherever the bank has its own
            ) as gateway,
        ):  # fmt: skip
            token = folder / "operator.token"
            token.touch(mode=0o600)
            token.write_text(issuer.token("operator"))
            print(
                f"OpenBank and the API Gateway are up.\n"
                f"  API and documentation   {bank.url}/api/docs\n"
                f"                          {gateway.url}/api/docs\n"
                f"  OpenAPI                 {bank.url}/api/openapi.json\n"
                f"                          {gateway.url}/api/openapi.json\n"
                f"  health                  {bank.url}/health/ready\n"
                f"                          {gateway.url}/health/ready\n"
                f"  databases and logs      {folder}\n"
                f"  who gives out tokens    {issuer.url}; on the page of an API, press Authorize\n"
                f"  a token for ten minutes in {token}, for an operator:\n"
                f"    NEUROGLIA_TOKEN=$(cat {token}) neuroglia --url {bank.url} events\n"
                f"Ctrl-C stops them.",
                flush=True,
            )
            return _first_to_end(bank, gateway)
    except (RuntimeError, TimeoutError) as error:
        print(f"They did not start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _first_to_end(*servers: ServiceProcess) -> int:
    """Waits until one has ended by itself, and returns its exit code."""
    until(lambda: any(one.process.poll() is not None for one in servers), "a server to end", math.inf)
    return next(code for one in servers if (code := one.process.returncode) is not None)


if __name__ == "__main__":
    sys.exit(main())
