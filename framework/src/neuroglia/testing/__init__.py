"""Given, when, then: for aggregates, for projections, and for a whole service over HTTP.

Needs the extra `neuroglia[testing]`.
"""

from neuroglia.documents.adapters.memory import InMemoryDocumentStore
from neuroglia.event_sourcing.adapters.memory import InMemoryEventStore
from neuroglia.testing.aggregates import given
from neuroglia.testing.crash_points import Crashed, CrashPoints, kill_this_process
from neuroglia.testing.doubles import FixedClock, SequentialIds
from neuroglia.testing.projections import GivenProjection, given_projection
from neuroglia.testing.reactions import GivenReaction, RecordingMediator, given_reaction
from neuroglia.testing.service import Answer, RunningService, in_memory, running

__all__ = [
    "Answer",
    "CrashPoints",
    "Crashed",
    "FixedClock",
    "GivenProjection",
    "GivenReaction",
    "InMemoryDocumentStore",
    "InMemoryEventStore",
    "RecordingMediator",
    "RunningService",
    "SequentialIds",
    "given",
    "given_projection",
    "given_reaction",
    "in_memory",
    "kill_this_process",
    "running",
]
