"""The tests' collector with the ways of grafana/otel-lgtm: its port for OTLP over HTTP, and its sign that it is ready.

Where that has Grafana's pages, this one tells the spans that have come, as JSON.
"""

import json
import threading
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from typing_extensions import override

from tests.support.collector import Collector

OTLP, PAGES = 4318, 3000
READY = Path("/tmp/ready")
collector = Collector("0.0.0.0", OTLP)


class Spans(BaseHTTPRequestHandler):
    """All of them, to whoever asks."""

    def do_GET(self) -> None:
        body = json.dumps([asdict(span) for span in list(collector.spans)], default=str).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


threading.Thread(target=collector.serve_forever, daemon=True).start()
pages = ThreadingHTTPServer(("0.0.0.0", PAGES), Spans)
READY.touch()
pages.serve_forever()
