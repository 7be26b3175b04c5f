"""OpenBank with next to no cache in SQLite: what grows in it is what the service itself holds. `python -m`."""

from neuroglia.hosting import run
from neuroglia.sqlite import database
from openbank.main import create_app
from openbank.settings import OpenBankSettings

database._WRITER_CACHE_KIB = 512  # type: ignore[misc]
database._READER_CACHE_KIB = 512  # type: ignore[misc]

if __name__ == "__main__":
    run(create_app, OpenBankSettings)
