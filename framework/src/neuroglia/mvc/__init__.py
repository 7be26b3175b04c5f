"""Controllers over FastAPI: a class for each resource, its methods the endpoints; errors as RFC 9457 problems."""

from neuroglia.core import DEFAULT_LIMIT as DEFAULT_LIMIT, Page as Page
from neuroglia.mvc.controllers import ControllerBase as ControllerBase, add_controller as add_controller
from neuroglia.mvc.description import describe as describe
from neuroglia.mvc.middleware import RequestMiddleware as RequestMiddleware
from neuroglia.mvc.parameters import Cursor as Cursor, Limit as Limit, Moment as Moment
from neuroglia.mvc.prefer import PreferredWait as PreferredWait
from neuroglia.mvc.problems import Problem as Problem, install_problem_handlers as install_problem_handlers
from neuroglia.mvc.routes import delete as delete, get as get, patch as patch, post as post, put as put
