"""An issuer on a socket of its own, which does what a test wants, and counts how often it is asked."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey
from typing_extensions import override

from neuroglia.core import SystemClock

AUDIENCE = "service"


class Issuer:
    """Its keys can be changed, and it can be told to answer with something else."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys: list[Key] = [new_key("first")]
        self.asked = 0
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.names_itself = url

    def token(self, scope: str | None = "r", *, key: Key | None = None, header: Any = None, **claims: Any) -> str:
        """A token of its first key. Claims that are None are left out."""
        key = key or self.keys[0]
        now = int(SystemClock().now().timestamp())
        told = {"iss": self.url, "aud": AUDIENCE, "sub": "ada", "scope": scope, "iat": now, "exp": now + 60, **claims}
        head = {"alg": "RS256" if isinstance(key, RSAKey) else "ES256", "kid": key.kid, **(header or {})}
        said = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(
            {name: value for name, value in head.items() if value is not None}, said, key, algorithms=[head["alg"]]
        )

    def answer(self, path: str) -> tuple[int, bytes]:
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps({"issuer": self.names_itself, "jwks_uri": f"{self.url}/jwks"}).encode()
        if path == "/jwks":
            self.asked += 1
            return 200, jwks(self.keys)
        return 404, b""


def jwks(keys: Sequence[Key]) -> bytes:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


def new_key(kid: str | None, kind: str = "EC") -> Key:
    parameters: Any = {"use": "sig"} | ({} if kid is None else {"kid": kid})
    return ECKey.generate_key("P-256", parameters) if kind == "EC" else RSAKey.generate_key(2048, parameters)


@contextmanager
def issuing() -> Iterator[Issuer]:
    """The issuer, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = issuer.answer(self.path)
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
