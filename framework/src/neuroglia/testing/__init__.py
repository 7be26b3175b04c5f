"""Given, when, then: for aggregates, for projections, reactions and processes, and for a whole service over HTTP.

Needs the extra `neuroglia[testing]`.
"""

from neuroglia.testing.aggregates import given as given
from neuroglia.testing.crash_points import (
    Crashed as Crashed,
    CrashPoints as CrashPoints,
    kill_this_process as kill_this_process,
)
from neuroglia.testing.document_store import InMemoryDocumentStore as InMemoryDocumentStore
from neuroglia.testing.doubles import FixedClock as FixedClock, SequentialIds as SequentialIds
from neuroglia.testing.event_store import InMemoryEventStore as InMemoryEventStore
from neuroglia.testing.processes import (
    GivenProcess as GivenProcess,
    GivenSteps as GivenSteps,
    given_process as given_process,
)
from neuroglia.testing.projections import GivenProjection as GivenProjection, given_projection as given_projection
from neuroglia.testing.reactions import (
    GivenReaction as GivenReaction,
    RecordingMediator as RecordingMediator,
    given_reaction as given_reaction,
)
from neuroglia.testing.service import (
    Answer as Answer,
    RunningService as RunningService,
    in_memory as in_memory,
    running as running,
)
from neuroglia.testing.tokens import Tokens as Tokens
