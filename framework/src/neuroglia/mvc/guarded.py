"""The route of every endpoint: nothing of a request is looked at before its sender is known and may ask."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from fastapi import HTTPException, Request, Response
from fastapi.params import Body
from fastapi.routing import APIRoute
from typing_extensions import override

from neuroglia.core.context import current_context, switch_context
from neuroglia.mvc.bodies import StrictRequest, is_json
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
            principal = await self._guard.admit(request.headers, self.scopes)
            switch_context(current_context().on_behalf_of(principal))
            if (detail := request.scope.get(MALFORMED)) is not None:
                raise HTTPException(400, detail)
            return await handle(request)

        return guarded
