"""A stand-in for EventStoreDB: a process that speaks the server's gRPC protocol over a real socket.

It keeps the rules that a client can see: expected versions and idempotency, soft deletes and tombstones, filters,
checkpoints, subscriptions, error details and trailers. What it leaves out: clusters, users, persistent subscriptions,
projections, resolved links, scavenging, and `$maxAge` and `$maxCount`. Like the real one it is durable: what was
answered is on the disk, and a process that was killed goes on from its file.
"""
