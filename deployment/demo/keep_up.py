"""`make run`: keeps the samples up in the foreground, over files in ./data, until Ctrl-C (SIGTERM)."""

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx

from deployment.demo.identities import identities
from deployment.issuer.process import RunningIssuer
from deployment.processes import START_S, PortTaken, ServiceProcess, serving, until

PORTS: Final = {"PORT": "8081", "DESKTOP_PORT": "8082", "GATEWAY_PORT": "8083", "ISSUER_PORT": "8090"}
_CATALOGUE: Final = Path(__file__).parents[2] / "desktop-controller/commands.toml"
_OF_ITS_OWN: Final = {  # wherever the bank has its own
    "EVENT_STORE_URL": "sqlite:///{DATA_DIR}/events.db", "DOCUMENT_STORE_URL": "sqlite:///{DATA_DIR}/documents.db",
}  # fmt: skip


def main() -> int:
    """Starts them, prints where to find them, and waits. Returns 0 when it was told to stop."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both ways to stop are one
    folder = Path(os.environ.get("DATA_DIR") or "data")
    try:
        ports = [_port(name, usual) for name, usual in PORTS.items()]
        folder.mkdir(0o700, parents=True, exist_ok=True)  # before a folder in it is made, with this one as all others
    except ValueError as error:
        print(f"They did not start: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"They did not start: DATA_DIR {folder}: {error.strerror}", file=sys.stderr)
        return 1
    try:
        pages = tuple(f"http://127.0.0.1:{port}/api/docs" for port in ports[:3])
        with (
            identities(folder / "issuer", port=ports[3], pages=pages) as issuer,
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
            renewed_in = _renew(token, issuer)
            command = os.path.relpath(Path(sys.executable).with_name("neuroglia"))
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
                f"  an operator's token     {token}, which is written anew while it is good: read it each time\n"
                f"    NEUROGLIA_TOKEN=$(cat {token}) {command} --url {bank.url} doctor\n"
                f"    NEUROGLIA_TOKEN=$(cat {token}) {command} --url {bank.url} events\n"
                f"Ctrl-C stops them.",
                flush=True,
            )
            servers = {"OpenBank": bank, "The Desktop Controller": desktop, "The API Gateway": gateway}
            return _watch(servers, issuer=issuer, token=token, renewed_in=renewed_in)
    except PortTaken as error:
        name = next(name for name, port in zip(PORTS, ports, strict=True) if port == error.port)
        print(f"They did not start: {error}. {name}=… make run takes another one.", file=sys.stderr)
        return 1
    except (RuntimeError, TimeoutError) as error:
        print(f"They did not start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _port(name: str, usual: str) -> int:
    """What the environment says.

    Raises:
        ValueError: it is no port.
    """
    told = os.environ.get(name, usual)
    if not (told.isascii() and told.isdecimal() and 0 < int(told) < 65536):
        raise ValueError(f"{name} has to be a number from 1 to 65535.")
    return int(told)


def _renew(token: Path, issuer: RunningIssuer) -> float:
    """Writes a new token for an operator, at one stroke. Returns in how many seconds the next one is due.

    Raises:
        HTTPError: the issuer gives none.
    """
    answer = issuer.answer("operator").raise_for_status().json()
    new = token.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(answer["access_token"])
    new.replace(token)
    return float(answer["expires_in"]) / 3


def _watch(servers: Mapping[str, ServiceProcess], *, issuer: RunningIssuer, token: Path, renewed_in: float) -> int:
    """Renews the token until a server has ended by itself, says which one, and returns its exit code."""
    while True:
        with suppress(TimeoutError):
            until(lambda: any(map(_has_ended, servers.values())), "a server to end", renewed_in)
            name, ended = next((name, one) for name, one in servers.items() if _has_ended(one))
            code = ended.process.wait()
            print(
                f"{name} has ended with {code}, and so all end. Its logs: {ended.stdout}, {ended.stderr}",
                file=sys.stderr,
            )
            return code
        try:
            renewed_in = _renew(token, issuer)
        except httpx.HTTPError as error:
            print(f"The token in {token} could not be renewed: {error!r}", file=sys.stderr)


def _has_ended(server: ServiceProcess) -> bool:
    return server.process.poll() is not None


if __name__ == "__main__":
    sys.exit(main())
