"""Where the deployment's secret for callbacks comes from: the settings, or else a file that is made once."""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from neuroglia.core import ConfigurationError

_SHORTEST: Final = 32


def callback_masters(told: Sequence[str], file: Path) -> Sequence[bytes]:
    """The secrets that were told, the present one first. None: 256 random bits that are kept in a file, readable by us
    alone; several gateways need to be told one, for they have no file in common.

    Raises:
        ConfigurationError: one is too short to be a secret, or the file cannot be used.
    """
    if any(len(secret) < _SHORTEST for secret in told):
        raise ConfigurationError(f"CALLBACK_SECRET: each needs {_SHORTEST} characters or more, at random")
    if told:
        return [secret.encode() for secret in told]
    try:
        kept = _kept(file)
    except OSError as error:
        raise ConfigurationError(f"CALLBACK_SECRET: tell one, or make {file} usable: {error.strerror}") from None
    if len(kept) < _SHORTEST:
        raise ConfigurationError(f"CALLBACK_SECRET: what is kept in {file} is no secret; tell one, or remove the file")
    return [kept]


def _kept(file: Path) -> bytes:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    if not file.exists():
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as made:
                made.write(secrets.token_urlsafe(32).encode())
                made.flush()
                os.fsync(made.fileno())
            with suppress(FileExistsError):  # another process was faster: its secret is as good
                os.link(unfinished, file)
        finally:
            unfinished.unlink()
    return file.read_bytes()
