"""The servers of others in the stories: a caller may die, and their own faults are told."""

import socket
import struct
import threading
from typing import Any

import pytest
from typing_extensions import override

from deployment.demo.sink import Sink
from deployment.neighbour import at_home

_SECONDS = 10
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: whoever closes does not wait, and the other side learns it at once."""


class Watched(Sink):
    """A sink that tells when it is done with a caller."""

    def __init__(self) -> None:
        super().__init__()
        self.done = threading.Event()

    @override
    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.done.set()


@pytest.mark.parametrize(("length", "told"), [(100, ""), (1, "JSON")])
def test_given_a_caller_that_dies_then_only_a_fault_of_the_servers_own_is_told(
    capsys: pytest.CaptureFixture[str], length: int, told: str
) -> None:
    with at_home(Watched()) as sink:
        with socket.create_connection(("127.0.0.1", sink.server_port), _SECONDS) as caller:
            caller.sendall(b"POST / HTTP/1.1\r\ncontent-length: %d\r\n\r\n{" % length)
            if not told:
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            else:
                assert sink.done.wait(_SECONDS)
        assert sink.done.wait(_SECONDS)

    said = capsys.readouterr().err
    assert told in said if told else said == ""
