"""The gateway in processes that die at a named write or call: `python -m … NEIGHBOURS`, with its settings in the
environment, and a life a line (see `lead`)."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypedDict

import httpx

from api_gateway.domain.models.data_object import DataObject
from api_gateway.domain.models.prompt import Prompt, Submission
from api_gateway.integration.ports import Callbacks, DataPackages, GenAiService, ObjectStore
from api_gateway.main import create_app
from api_gateway.settings import ApiGatewaySettings
from neuroglia.documents import Documents, DocumentStore
from neuroglia.testing import CrashPoints, RunningService, kill_this_process, running
from tests.api_gateway.callers import Caller, caller
from tests.api_gateway.neighbours import response_of
from tests.support.lives import lead
from tests.support.waiting import eventually

LIMIT_S = 120


class Life(TypedDict):
    """Who sends prompts, under which marks and with what in addition, and at the n-th time of which write or call it
    ends. `waits`: until every prompt is final, those included that can only expire."""

    secret: str | None
    marks: list[str]
    more: dict[str, str]
    dies: tuple[str, int] | None
    waits: bool


class Answer(TypedDict):
    """How a life ended: by what signal, or after which writes and calls; the caller's secrets; what each mark was
    answered with, and at the end all prompts by their marks."""

    signal: int
    reached: list[str]
    secret: str
    callback_secret: str
    answers: dict[str, int]
    prompts: dict[str, Any]


class Points(CrashPoints):
    """Calls to the outside have points, too."""

    def around(self, owner: object, name: str) -> None:
        """Puts points around a method."""
        method: Callable[..., Awaitable[object]] = getattr(owner, name)

        async def watched(*args: object, **named: object) -> object:
            return await self._around(name, lambda: method(*args, **named))

        setattr(owner, name, watched)

    def within(self, objects: ObjectStore) -> None:
        """Puts a point behind the first piece of an object."""
        put = objects.put

        async def watched(key: str, content: AsyncIterator[bytes], *, media_type: str) -> DataObject:
            async def pieces() -> AsyncIterator[bytes]:
                async for piece in content:
                    yield piece
                    self._reach("within put")

            return await put(key, pieces(), media_type=media_type)

        objects.put = watched  # type: ignore[method-assign]


async def watch(points: Points, gateway: RunningService) -> None:
    services = gateway.services
    points.watch(await services.get(DocumentStore))
    points.within(objects := await services.get(ObjectStore))
    points.around(objects, "put")
    points.around(await services.get(DataPackages), "fetch")
    points.around(await services.get(GenAiService), "submit")
    points.around(await services.get(Callbacks), "deliver")


class World:
    """The gateway, its agent, and what is stored."""

    def __init__(self, gateway: RunningService, http: httpx.AsyncClient) -> None:
        self._gateway = gateway
        self._http = http

    @asynccontextmanager
    async def agent(self) -> AsyncIterator[None]:
        """Brings answers meanwhile, if the gateway has one that answers later."""
        bringing = asyncio.create_task(self._bring())
        try:
            yield
        finally:
            bringing.cancel()
            with suppress(asyncio.CancelledError):
                await bringing

    async def _bring(self) -> None:
        brought, headers = set[str](), self._gateway.tokens.bearer(["prompts:respond"], sub="agent")
        while (await self._gateway.services.get(GenAiService)).answers_later:
            for key in set(await self._taken()) - brought:
                id, _, attempt = key.partition(":")
                body = {"response": response_of(key), "attempt": int(attempt)}
                path = f"/api/v1/internal/prompts/{id}/response"
                answer = await self._gateway.client.post(path, json=body, headers=headers)
                if not answer.is_server_error:
                    brought.add(key)
            await asyncio.sleep(0.01)

    async def stored(self) -> list[Prompt]:
        """All prompts."""
        async with self._gateway.services.create_scope() as scope:
            return [*(await (await scope.get(Documents[Prompt])).find(order="created_at", limit=200)).items]

    async def ended(self) -> bool:
        """Whether all are final."""
        return all(prompt.is_final for prompt in await self.stored())

    async def rests(self) -> bool:
        """The same, but for those that can only expire, for the agent has never heard of them."""
        taken = await self._taken()
        return all(
            prompt.is_final
            or (prompt.submission is Submission.UNCLEAR and f"{prompt.id}:{prompt.attempts}" not in taken)
            for prompt in await self.stored()
        )

    async def _taken(self) -> list[str]:
        return list((await self._http.get("/submissions")).json())


async def live(life: Life, settings: ApiGatewaySettings, neighbours: str) -> Answer:
    """Sends prompts if it is told to, and waits until all have come to their end, if there is time."""
    points, app = Points(kill_this_process), create_app(settings)
    async with running(app) as gateway, httpx.AsyncClient(base_url=neighbours, trust_env=False) as http:
        world = World(gateway, http)
        if life["secret"] is None:
            acme = await caller(gateway)
        else:
            acme = Caller(gateway, life["secret"])
        async with world.agent():
            await eventually(world.rests, LIMIT_S)  # what the life before has left
            await watch(points, gateway)
            if life["dies"] is not None:
                point, nth = life["dies"]
                points.crash_at(point, nth=nth)
            answers = {}
            for mark in life["marks"]:
                told = {name: url.replace("MARK", mark) for name, url in life["more"].items()}
                body = {"kind": "chat", "context": {"mark": mark}, "request_id": mark, **told}
                answers[mark] = (await acme.request("POST", "/prompts", json=body)).status_code
            await eventually(world.ended if life["waits"] else world.rests, LIMIT_S)
        return Answer(
            signal=0,
            reached=list(points.reached),
            secret=acme.headers["X-API-Key"],
            callback_secret=(await gateway.services.get(Callbacks)).secret_of("acme"),
            answers=answers,
            prompts={str(prompt.request_id): await acme.see(prompt.id) for prompt in await world.stored()},
        )


def main(neighbours: str) -> None:
    """One life for each line."""
    settings = ApiGatewaySettings()
    lead(lambda life: live(life, settings, neighbours), settings.document_store_url)


if __name__ == "__main__":
    main(sys.argv[1])
