"""Commands and queries, each with one handler, and the pipeline that every one of them runs through."""

from neuroglia.mediation.behaviors import (
    LogBehavior as LogBehavior,
    RetryBehavior as RetryBehavior,
    ValidationBehavior as ValidationBehavior,
)
from neuroglia.mediation.handlers import HandlerRegistry as HandlerRegistry, add_handlers as add_handlers
from neuroglia.mediation.mediator import (
    Mediator as Mediator,
    PipelineBehavior as PipelineBehavior,
    Proceed as Proceed,
    Stage as Stage,
)
from neuroglia.mediation.requests import (
    Command as Command,
    CommandHandler as CommandHandler,
    Query as Query,
    QueryHandler as QueryHandler,
    Request as Request,
    RequestHandler as RequestHandler,
)
