"""`make env`: writes the file .env with what docker compose has to be told, secrets above all.

It needs Python alone. What stands in the file already stays as it is: what was imported into a volume once would not
fit another secret.
"""

import os
import re
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SECRETS: Final = (
    "DEMO_CLIENT_SECRET", "AGENT_CLIENT_SECRET", "TESS_PASSWORD", "OTTO_PASSWORD", "ADA_PASSWORD",
    "KEYCLOAK_ADMIN_PASSWORD",
)  # fmt: skip
_OWNER_ALONE: Final = 0o600
_HEAD: Final = "# Written by `make env`, for docker compose. Secrets: keep it to yourself, and out of git.\n"


def read(file: Path) -> Mapping[str, str]:
    """What stands in the file by its names, comments aside."""
    text = file.read_text() if file.exists() else ""
    return dict(re.findall(r"^([A-Z][A-Z0-9_]*)=(.*)$", text, re.MULTILINE))


def write(file: Path) -> list[str]:
    """Adds what is missing to the file, which nobody else may read. Returns the names that were added."""
    missing = [name for name in SECRETS if not read(file).get(name)]
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, _OWNER_ALONE)
    with os.fdopen(descriptor, "a") as out:
        os.fchmod(descriptor, _OWNER_ALONE)
        if missing:
            begun = file.stat().st_size > 0
            lines = [f"{name}={secrets.token_urlsafe(32)}\n" for name in missing]
            out.write(("\n" if begun else _HEAD) + "".join(lines))
    return missing


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ".env")
    if added := write(target):
        print(f"{target}: {', '.join(added)}")
