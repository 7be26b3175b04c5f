"""The outside: ports, read models, clients and repositories."""
