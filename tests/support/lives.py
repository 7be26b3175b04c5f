"""One life after the other of a service, each in a fork of a process that has everything imported: it is born in an
instant, and dies as a process does."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tests.support.mongo import end_transactions


def lead(live: Callable[[Any], Awaitable[Mapping[str, object]]], document_store_url: str) -> None:
    """Reads what each life is to do from a line of stdin, and answers with a line: what it says at its end, or the
    signal by which it died."""
    for line in sys.stdin:
        if child := os.fork():
            _, status = os.waitpid(child, 0)
            if os.WIFSIGNALED(status):
                if document_store_url.startswith("mongodb:"):
                    end_transactions(document_store_url)
                print(json.dumps({"signal": os.WTERMSIG(status)}), flush=True)  # noqa: T201
            elif os.WEXITSTATUS(status):
                sys.exit("a life has failed")
        else:
            print(json.dumps(asyncio.run(live(json.loads(line)))), flush=True)  # noqa: T201
            os._exit(0)
