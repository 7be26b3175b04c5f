"""`make run`: keeps the samples up in the foreground, over files in ./data, until Ctrl-C (SIGTERM)."""

import math
import os
import signal
import sys
from pathlib import Path
from typing import Final

from deployment.demo.identities import identities
from deployment.processes import START_S, ServiceProcess, serving, until

_PORTS: Final = (("PORT", "8081"), ("DESKTOP_PORT", "8082"), ("GATEWAY_PORT", "8083"))
_CATALOGUE: Final = Path(__file__).parents[2] / "desktop-controller/commands.toml"
_OF_ITS_OWN: Final = {  # wherever the bank has its own
    "EVENT_STORE_URL": "sqlite:///{DATA_DIR}/events.db", "DOCUMENT_STORE_URL": "sqlite:///{DATA_DIR}/documents.db",
}  # fmt: skip


def main() -> int:
    """Starts them, prints where to find them, and waits. Returns 0 when it was told to stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both ways to stop are one
    folder = Path(os.environ.get("DATA_DIR", "data"))
    try:
        ports = [int(os.environ.get(name, usual)) for name, usual in _PORTS]
        pages = tuple(f"http://127.0.0.1:{port}/api/docs" for port in ports)
        with (
            identities(folder / "issuer", port=int(os.environ.get("ISSUER_PORT", "8090")), pages=pages) as issuer,
            serving("openbank", folder, port=ports[0], OAUTH2_ISSUER=issuer.url) as bank,
            serving(
                "desktop_controller", folder / "desktop", port=ports[1], within=START_S, OAUTH2_ISSUER=issuer.url,
                COMMANDS_FILE=str(_CATALOGUE), **_OF_ITS_OWN,
            ) as desktop,
            serving(
                "api_gateway", folder / "gateway", port=ports[2], within=START_S, OAUTH2_ISSUER=issuer.url,
                **_OF_ITS_OWN,
            ) as gateway,
        ):  # fmt: skip
            token = folder / "operator.token"
            token.touch(mode=0o600)
            token.write_text(issuer.token("operator"))
            print(
                f"OpenBank, the Desktop Controller and the API Gateway are up.\n"
                f"  API and documentation   {bank.url}/api/docs\n"
                f"                          {desktop.url}/api/docs\n"
                f"                          {gateway.url}/api/docs\n"
                f"  OpenAPI                 {bank.url}/api/openapi.json\n"
                f"                          {desktop.url}/api/openapi.json\n"
                f"                          {gateway.url}/api/openapi.json\n"
                f"  health                  {bank.url}/health/ready\n"
                f"                          {desktop.url}/health/ready\n"
                f"                          {gateway.url}/health/ready\n"
                f"  databases and logs      {folder}\n"
                f"  who gives out tokens    {issuer.url}; on the page of an API, press Authorize\n"
                f"  a token for ten minutes in {token}, for an operator:\n"
                f"    NEUROGLIA_TOKEN=$(cat {token}) neuroglia --url {bank.url} events\n"
                f"Ctrl-C stops them.",
                flush=True,
            )
            return _first_to_end(bank, desktop, gateway)
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
