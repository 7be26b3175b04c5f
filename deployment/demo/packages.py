"""A caller's packages of data, and the server behind which they lie."""

import io
from collections.abc import Mapping
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from typing import cast
from zipfile import ZIP_DEFLATED, ZipFile

from deployment.neighbour import Neighbour, Quiet, at_home


def packed(entries: Mapping[str, str]) -> bytes:
    """A ZIP archive of these texts by name, whatever the names are."""
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return file.getvalue()


class Shelf(Neighbour):
    """Where it is, and which archives lie on it, by their paths."""

    def __init__(self, address: str) -> None:
        super().__init__((address, 0), _Clerk)
        self.url = f"http://{address}:{self.server_port}"
        self.packages: dict[str, bytes] = {}


class _Clerk(Quiet, BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Gives a package."""
        package = cast("Shelf", self.server).packages.get(self.path)
        self.send_response(404 if package is None else 200)
        self.send_header("content-type", "application/zip")
        self.send_header("content-length", str(len(package or b"")))
        self.end_headers()
        self.wfile.write(package or b"")


def offering(address: str = "127.0.0.1") -> AbstractContextManager[Shelf]:
    """A shelf, for as long as the context lasts."""
    return at_home(Shelf(address))
