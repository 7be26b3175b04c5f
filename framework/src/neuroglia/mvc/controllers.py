"""Controllers: singletons whose bound methods FastAPI inspects as it would functions."""

import functools
import inspect
import re
import string
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar, get_type_hints
from urllib.parse import quote

from fastapi import FastAPI
from typing_extensions import override

from neuroglia.core.context import current_context
from neuroglia.core.errors import ConfigurationError
from neuroglia.mediation import Mediator
from neuroglia.mvc.guarded import GuardedRoute
from neuroglia.mvc.headers import headers_sent, headers_taken
from neuroglia.mvc.problems import PROBLEM_RESPONSES
from neuroglia.mvc.routes import MARK, Endpoint
from neuroglia.security import Guard


class ControllerBase:
    """Base of controllers. `AccountsController` serves `/accounts`, unless `prefix=` says otherwise."""

    prefix: ClassVar[str]
    tags: ClassVar[Sequence[str]]

    @override
    def __init_subclass__(cls, *, prefix: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__.removesuffix("Controller"))
        cls.prefix = f"/{name.lower()}" if prefix is None else prefix
        cls.tags = [name.replace("-", " ")]

    def __init__(self, mediator: Mediator) -> None:
        self.mediator = mediator


def endpoints(controller: type[ControllerBase]) -> Mapping[str, Endpoint]:
    """The endpoints of a controller class by method name, inherited ones included, in the order of their lines.

    Raises:
        ConfigurationError: an endpoint that says not who may call it, or a 201 that names not what was created.
    """
    found: dict[str, Endpoint] = {}
    for owner in reversed(controller.__mro__):
        found.update({name: getattr(member, MARK) for name, member in vars(owner).items() if hasattr(member, MARK)})
    for name, endpoint in found.items():
        where = f"{controller.__name__}.{name}"
        if isinstance(endpoint.scopes, str):
            raise ConfigurationError(f'{where}: scopes is a list; write scopes=["{endpoint.scopes}"]')
        if not endpoint.scopes:
            verb = endpoint.method.lower()
            raise ConfigurationError(f'{where}: says not who may call it; add scopes=["…"] to @{verb}')
        for part in (controller.prefix, endpoint.path):
            if not f"{part}/".startswith("/"):
                raise ConfigurationError(f'{where}: a path begins with a slash; write "/{part}"')
        told = [*_fields_of(endpoint.location or ""), *([endpoint.etag] if endpoint.etag else [])]
        result = get_type_hints(getattr(controller, name)).get("return") if told else None
        for field in told if inspect.isclass(result) else ():
            if field not in {*get_type_hints(result), *dir(result)}:
                raise ConfigurationError(f"{where}: its location or etag names '{field}', which its result has not")
        if endpoint.status_code == 201 and endpoint.location is None:
            raise ConfigurationError(f'{where}: a 201 names what was created; add location="/{{id}}"')
    return found


def add_controller(app: FastAPI, controller: ControllerBase, base: str, guard: Guard, *, has_log: bool) -> None:
    """Adds a controller's routes to an application, below the path `base` and behind the guard. `has_log`: whether what
    is changed has a position in a log of events.

    They stand on the application itself: a router in between would match every request a second time.
    """
    kind = type(controller)
    prefix = f"{base}{controller.prefix}"
    for name, endpoint in endpoints(kind).items():
        method, status, told = getattr(controller, name), endpoint.status_code, endpoint.options.get("responses", {})
        headers = headers_sent(endpoint, has_log=has_log)
        options: dict[str, Any] = {
            "summary": (inspect.getdoc(method) or "").partition("\n")[0].removesuffix(".") or None,
            "operation_id": f"{kind.__name__.removesuffix('Controller').lower()}_{name}",
            **endpoint.options,
            "openapi_extra": {
                "x-required-scopes": [*endpoint.scopes],
                "security": [{scheme.name: [scope]} for scheme in guard.schemes for scope in endpoint.scopes],
                "parameters": headers_taken(endpoint, has_log=has_log),
                **endpoint.options.get("openapi_extra", {}),
            },
            "responses": {**PROBLEM_RESPONSES, **told, status: {"headers": headers, **told.get(status, {})}},
            "route_class_override": functools.partial(GuardedRoute, guard=guard, scopes=endpoint.scopes),
        }
        app.router.add_api_route(
            prefix + endpoint.path,
            _with_replies(method, endpoint, prefix) if endpoint.location or endpoint.etag else method,
            methods=[endpoint.method],
            status_code=status,
            tags=[*controller.tags],
            **options,
        )
        *others, route = app.router.routes
        assert isinstance(route, GuardedRoute)
        route.check(f"{kind.__name__}.{name}", others)


def _fields_of(template: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]


def _with_replies(method: Callable[..., Awaitable[Any]], endpoint: Endpoint, prefix: str) -> Callable[..., Any]:
    """Tells where the result is, and which version of it this is, beside the result itself."""
    location = prefix + (endpoint.location or "")
    names = _fields_of(location)

    @functools.wraps(method)
    async def replying(*args: Any, **kwargs: Any) -> Any:
        result = await method(*args, **kwargs)
        reply = current_context().reply
        if endpoint.location is not None:
            reply.location = location.format(**{name: quote(str(getattr(result, name)), safe="") for name in names})
        if endpoint.etag is not None:
            reply.etag = str(getattr(result, endpoint.etag))
        return result

    return replying
