"""Who takes part in the demo, and which tokens they get from the local issuer."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deployment.issuer.process import RunningIssuer, issuing
from deployment.issuer.settings import User

TELLER: Final = ["bank:read", "bank:write"]
OPERATOR: Final = ["operations:admin"]
GATEKEEPER: Final = ["gateway:admin"]
DESKTOP: Final = ["desktop:read", "desktop:write", "desktop:execute"]
CLIENTS: Final = {
    "helper": ["desktop:read"],
    "administrator": [*DESKTOP, *OPERATOR],
    "agent": ["prompts:respond"],
    "gatekeeper": GATEKEEPER,
    "teller": TELLER,
    "operator": [*TELLER, *OPERATOR, *DESKTOP, *GATEKEEPER, "events:write"],
    "visitor": ["bank:read"],
}
_USERS: Final = {
    "Tess, a teller": User(scopes=frozenset(TELLER)),
    "Otto, an operator": User(scopes=frozenset(TELLER + OPERATOR + DESKTOP + GATEKEEPER)),
}


@contextmanager
def identities(folder: Path, *, port: int | None = None, pages: tuple[str, ...] = ()) -> Generator[RunningIssuer]:
    """The local issuer with all of them. `pages`: of documentation, on which people can log in."""
    returned = [f"{page}/oauth2-redirect" for page in pages]
    with issuing(folder, CLIENTS, users=_USERS, pages=returned, port=port) as issuer:
        yield issuer
