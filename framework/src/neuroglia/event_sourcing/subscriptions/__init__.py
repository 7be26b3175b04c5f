"""Following the log: projections and reactions, each run once over all processes, whatever fails."""

from neuroglia.event_sourcing.subscriptions.checkpoints import (
    Checkpoint as Checkpoint,
    Generation as Generation,
    LogBehindCheckpoint as LogBehindCheckpoint,
)
from neuroglia.event_sourcing.subscriptions.fences import Fence as Fence
from neuroglia.event_sourcing.subscriptions.means import Means as Means
from neuroglia.event_sourcing.subscriptions.projection_runner import ProjectionRunner as ProjectionRunner
from neuroglia.event_sourcing.subscriptions.reaction_runner import ReactionRunner as ReactionRunner
from neuroglia.event_sourcing.subscriptions.runner import SubscriptionRunner as SubscriptionRunner
from neuroglia.event_sourcing.subscriptions.service import (
    Subscriptions as Subscriptions,
    runner_factory as runner_factory,
)
from neuroglia.event_sourcing.subscriptions.status import (
    SubscriptionState as SubscriptionState,
    SubscriptionStatus as SubscriptionStatus,
)
