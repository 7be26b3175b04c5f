"""Following the log: projections and reactions, each run once over all processes, whatever fails."""

from neuroglia.event_sourcing.subscriptions.checkpoints import Checkpoint, Generation, LogBehindCheckpoint
from neuroglia.event_sourcing.subscriptions.means import Means
from neuroglia.event_sourcing.subscriptions.projection_runner import ProjectionRunner
from neuroglia.event_sourcing.subscriptions.reaction_runner import ReactionRunner
from neuroglia.event_sourcing.subscriptions.runner import SubscriptionRunner
from neuroglia.event_sourcing.subscriptions.service import Subscriptions, runner_factory
from neuroglia.event_sourcing.subscriptions.status import SubscriptionState, SubscriptionStatus

__all__ = [
    "Checkpoint",
    "Generation",
    "LogBehindCheckpoint",
    "Means",
    "ProjectionRunner",
    "ReactionRunner",
    "SubscriptionRunner",
    "SubscriptionState",
    "SubscriptionStatus",
    "Subscriptions",
    "runner_factory",
]
