"""Projections: classes that turn events into read models."""

from neuroglia.event_sourcing.handlers import Subscriber


class Projection(Subscriber):
    """Base of projections: one ordered consumer of the service's events, which owns the models it writes.

    Its `@on` methods read and save `Documents[...]`; what they stage is committed together with the checkpoint,
    so an event takes effect once.
    """
