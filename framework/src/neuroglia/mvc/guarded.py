"""The route of every endpoint: nothing of a request is looked at before its sender is known and may ask."""

import re
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Final

from fastapi import HTTPException, Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Body
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from typing_extensions import override

from neuroglia.core.context import current_context
from neuroglia.core.errors import ConfigurationError
from neuroglia.mvc.bodies import StrictRequest, is_json, not_strict_json
from neuroglia.security import Guard

MALFORMED: Final = "neuroglia.malformed"
"""In the scope: why the request is answered with 400, once its sender is known and may ask."""


class GuardedRoute(APIRoute):
    """A route with a guard before it. From there on the request is its sender's."""

    def __init__(self, *args: Any, guard: Guard, scopes: Sequence[str], **kwargs: Any) -> None:
        self._guard, self.scopes = guard, scopes
        super().__init__(*args, **kwargs)

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, body = super().get_route_handler(), self.body_field.field_info if self.body_field else None
        is_of_json = isinstance(body, Body) and is_json(body.media_type)

        async def guarded(request: Request) -> Response:
            request = StrictRequest(request.scope, request.receive) if is_of_json else request
            current_context().admit(await self._guard.admit(request.headers, self.scopes))
            if (detail := request.scope.get(MALFORMED)) is not None:
                raise HTTPException(400, detail)
            if is_of_json:
                said = request.headers.get("content-type", ""), request.headers.get("content-encoding", "identity")
                if (wrong := not_strict_json(*said)) and await request.body():
                    raise HTTPException(415, wrong)
            return await handle(request)

        return guarded

    def check(self, where: str, others: Iterable[BaseRoute]) -> None:
        """Whether the path fits the parameters, and no route of the others has it.

        Raises:
            ConfigurationError: naming the endpoint and the remedy.
        """
        for name in self.param_convertors.keys() - {field.alias for field in get_flat_params(self.dependant)}:
            raise ConfigurationError(f"{where}: its path has {{{name}}}, but it takes no '{name}'; give both one name")
        for other in others:
            if isinstance(other, GuardedRoute) and other.methods == self.methods and _form(other) == _form(self):
                served = f"{other.endpoint.__qualname__} serves this method and path already"
                raise ConfigurationError(f"{where}: {served}; give it another path")


def _form(route: GuardedRoute) -> str:
    return re.sub(r"\{\w+", "{", route.path)
