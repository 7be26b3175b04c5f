"""Commands and queries, each with one handler, and the pipeline that every one of them runs through."""

from neuroglia.mediation.behaviors import LogBehavior, RetryBehavior, ValidationBehavior
from neuroglia.mediation.handlers import HandlerRegistry, add_handlers
from neuroglia.mediation.mediator import Mediator, PipelineBehavior, Proceed, Stage
from neuroglia.mediation.requests import Command, CommandHandler, Query, QueryHandler, Request, RequestHandler

__all__ = [
    "Command",
    "CommandHandler",
    "HandlerRegistry",
    "LogBehavior",
    "Mediator",
    "PipelineBehavior",
    "Proceed",
    "Query",
    "QueryHandler",
    "Request",
    "RequestHandler",
    "RetryBehavior",
    "Stage",
    "ValidationBehavior",
    "add_handlers",
]
