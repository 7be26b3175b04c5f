"""Given, when, then: for aggregates, and for a whole service over HTTP. Needs the extra `neuroglia[testing]`."""

from neuroglia.testing.aggregates import given
from neuroglia.testing.doubles import FixedClock, SequentialIds
from neuroglia.testing.service import Answer, RunningService, running

__all__ = ["Answer", "FixedClock", "RunningService", "SequentialIds", "given", "running"]
