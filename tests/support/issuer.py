"""A real issuer for services in processes of their own, and a token that may do everything."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deployment.issuer.process import issuing

SCOPES = [
    "bank:read", "bank:write", "events:write", "operations:admin", "desktop:read", "desktop:write", "desktop:execute",
    "gateway:admin", "prompts:respond",
    "bells", "cups", "movements:write", "parcels:write",  # of the services that tests are made with
]  # fmt: skip
AUDIENCES = ["openbank", "service", "desktop-controller", "api-gateway", "parcels"]
_LIFE_S = 24 * 3600


@contextmanager
def local_issuer(folder: Path) -> Iterator[None]:
    """Runs an issuer, which all services believe that are started meanwhile. See `authorized`."""
    with issuing(folder, {"tests": SCOPES}, issuer_audiences=AUDIENCES, issuer_token_seconds=_LIFE_S) as issuer:
        os.environ.update(OAUTH2_ISSUER=issuer.url, TESTS_TOKEN=issuer.token("tests"))
        try:
            yield
        finally:
            del os.environ["OAUTH2_ISSUER"], os.environ["TESTS_TOKEN"]


def authorized() -> dict[str, str]:
    """The header of a request that may do everything."""
    return {"Authorization": f"Bearer {os.environ['TESTS_TOKEN']}"}
