"""Controllers over FastAPI: a class for each resource, its methods the endpoints; errors as RFC 9457 problems."""

from neuroglia.core import DEFAULT_LIMIT, Page
from neuroglia.mvc.controllers import ControllerBase, add_controller
from neuroglia.mvc.middleware import RequestMiddleware
from neuroglia.mvc.parameters import Cursor, Limit, Moment
from neuroglia.mvc.problems import Problem, install_problem_handlers
from neuroglia.mvc.routes import delete, get, patch, post, put

__all__ = [
    "DEFAULT_LIMIT",
    "ControllerBase",
    "Cursor",
    "Limit",
    "Moment",
    "Page",
    "Problem",
    "RequestMiddleware",
    "add_controller",
    "delete",
    "get",
    "install_problem_handlers",
    "patch",
    "post",
    "put",
]
