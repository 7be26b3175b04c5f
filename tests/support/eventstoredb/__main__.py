"""`python -m tests.support.eventstoredb --port 0 --data FILE`: prints its port, takes commands on its standard input
(see `Faults`), answers each with `ok`, and ends with that input."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

import grpc.aio
from esdbclient.protos.Grpc import gossip_pb2_grpc, streams_pb2_grpc

from tests.support.eventstoredb.faults import Faults
from tests.support.eventstoredb.log import Log
from tests.support.eventstoredb.services import Gossip, Streams, server_features
from tests.support.eventstoredb.writing import Writer

_MIB = 2**20
_OPTIONS = [
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 64 * _MIB),
    # clients ask now and then whether the connection lives; the library takes that for an attack
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 100),
    ("grpc.http2.max_ping_strikes", 0),
]


async def _serve(port: int, data: Path) -> None:
    log, faults = Log(data), Faults()
    server = grpc.aio.server(options=_OPTIONS)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    add_streams: Any = streams_pb2_grpc.add_StreamsServicer_to_server
    add_gossip: Any = gossip_pb2_grpc.add_GossipServicer_to_server
    add_streams(Streams(log, Writer(log), faults), server)
    add_gossip(Gossip(bound), server)
    server.add_generic_rpc_handlers((server_features(),))
    await server.start()
    print(bound, flush=True)  # noqa: T201
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        faults.command(line.decode())
        print("ok", flush=True)  # noqa: T201
    await server.stop(grace=None)


parser = argparse.ArgumentParser(prog="eventstoredb")
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--data", type=Path, required=True)
arguments = parser.parse_args()
asyncio.run(_serve(arguments.port, arguments.data))
