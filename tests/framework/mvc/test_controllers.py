"""Controllers: their paths, what they inherit, and all that FastAPI does for a function."""

from abc import ABC
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from fastapi import Body, Depends, Header, Query, Response, Security
from fastapi.security import SecurityScopes
from pydantic import BaseModel

from neuroglia.core.errors import ConfigurationError
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.mediation import Mediator
from neuroglia.mvc import ControllerBase, delete, get, patch, post, put
from tests.framework.mvc.greetings import Greet
from tests.framework.mvc.postponed import NotesController
from tests.framework.mvc.serving import application, client_of, serving


class Thing(BaseModel):
    id: str
    size: int = 1


class ThingWithSecret(Thing):
    secret: str = "hidden"


class BigThingsController(ControllerBase):
    @get(scopes=["r"])
    async def list(self) -> list[Thing]:
        return [ThingWithSecret(id="1")]

    @get("/{id}", scopes=["r"])
    async def show(self, id: str) -> Thing:
        return Thing(id=id)

    @post(status_code=201, location="/{id}", scopes=["w"])
    async def make(self, thing: Thing) -> Thing:
        return thing

    @put("/{id}", scopes=["w"])
    async def replace(self, id: str, thing: Thing) -> Thing:
        return thing

    @patch("/{id}", status_code=202, scopes=["w"])
    async def change(self, id: str, size: Annotated[int, Body(embed=True)]) -> Thing:
        return Thing(id=id, size=size)

    @delete("/{id}", scopes=["w"])
    async def remove(self, id: str) -> None: ...


async def test_a_class_serves_the_path_of_its_name_with_every_method() -> None:
    async with serving(BigThingsController) as http:
        assert (await http.get("/big-things")).json() == [{"id": "1", "size": 1}]
        assert (await http.get("/big-things/7")).json() == {"id": "7", "size": 1}
        assert (await http.put("/big-things/7", json={"id": "7"})).status_code == 200
        changed = await http.patch("/big-things/7", json={"size": 3})
        assert (changed.status_code, changed.json()) == (202, {"id": "7", "size": 3})
        removed = await http.delete("/big-things/7")
        assert (removed.status_code, removed.content) == (204, b"")


@pytest.mark.parametrize(
    ("id_", "location"),
    [("7", "7"), ("a/b", "a%2Fb"), ("a b", "a%20b"), ("é\r\nX: y", "%C3%A9%0D%0AX%3A%20y"), ("..", "..")],
)
async def test_what_was_made_is_named_in_location(id_: str, location: str) -> None:
    async with serving(BigThingsController) as http:
        made = await http.post("/big-things", json={"id": id_})

    assert made.status_code == 201
    assert made.headers.get_list("location") == [f"/api/v1/big-things/{location}"]


async def test_a_prefix_can_be_given() -> None:
    class OddController(ControllerBase, prefix="/somewhere/else"):
        @post(status_code=201, location="/{id}", scopes=["w"])
        async def make(self) -> Thing:
            return Thing(id="1")

    class RootController(ControllerBase, prefix=""):
        @get("/ping", scopes=["r"])
        async def ping(self) -> str:
            return "pong"

    async with serving(OddController, RootController) as http:
        assert (await http.post("/somewhere/else")).headers["location"] == "/api/v1/somewhere/else/1"
        assert (await http.get("/ping")).json() == "pong"


class CrudController(ControllerBase, ABC):
    """What several resources have in common."""

    name = "base"

    @get(scopes=["r"])
    async def list(self) -> str:
        return f"list of {self.name}"

    @get("/{id}", scopes=["r"])
    async def show(self, id: str) -> str:
        return f"{self.name} {id}"

    @delete("/{id}", status_code=200, scopes=["w"])
    async def remove(self, id: str) -> str:
        return f"removed {id}"


class CatsController(CrudController):
    name = "cats"

    async def show(self, id: str) -> str:  # no decorator: the route stays, the behaviour is this one
        return f"the cat {id}"

    @post("/{id}/removal", status_code=202, scopes=["admin"])
    async def remove(self, id: str) -> str:  # another decorator: another route
        return f"the cat {id} will go"


class DogsController(CrudController):
    name = "dogs"


async def test_endpoints_are_inherited_and_can_be_overridden() -> None:
    async with serving(CatsController, DogsController) as http:
        assert (await http.get("/cats")).json() == "list of cats"
        assert (await http.get("/dogs")).json() == "list of dogs"
        assert (await http.get("/cats/7")).json() == "the cat 7"
        assert (await http.get("/dogs/7")).json() == "dogs 7"
        assert (await http.delete("/dogs/7")).json() == "removed 7"
        assert (await http.delete("/cats/7")).status_code == 405
        going = await http.post("/cats/7/removal")
        assert (going.status_code, going.json()) == (202, "the cat 7 will go")
        document = (await http.get("/../openapi.json")).json()
        assert document["paths"]["/api/v1/cats/{id}/removal"]["post"]["x-required-scopes"] == ["admin"]
        assert (await http.get("/crud")).status_code == 404


class Diary:
    def __init__(self) -> None:
        self.lines: list[str] = []


diary = Diary()


async def connection() -> AsyncIterator[str]:
    diary.lines.append("opened")
    yield "connected"
    diary.lines.append("closed")


async def caller(scopes: SecurityScopes, x_caller: Annotated[str, Header()]) -> str:
    return f"{x_caller} with {scopes.scope_str}"


class ParametersController(ControllerBase):
    @get("/depends", scopes=["r"], dependencies=[Depends(connection)])
    async def depends(self, used: Annotated[str, Depends(connection)]) -> str:
        diary.lines.append("used")
        return used

    @get("/security", scopes=["r"])
    async def security(self, who: Annotated[str, Security(caller, scopes=["a", "b"])]) -> str:
        return who

    @get("/values/{number}", scopes=["r"])
    async def values(
        self,
        number: int,
        tags: Annotated[list[str], Query(alias="tag", max_length=2)],
        user_agent: Annotated[str, Header()],
        response: Response,
        deep: bool = False,
    ) -> dict[str, Any]:
        response.headers["X-Own"] = "yes"
        return {"number": number, "tags": tags, "agent": user_agent, "deep": deep}

    @post("/located", status_code=201, location="/{id}", scopes=["w"])
    async def located(self, used: Annotated[str, Depends(connection)], name: str = "x") -> Thing:
        return Thing(id=f"{used}-{name}")


async def test_dependencies_run_and_are_closed() -> None:
    diary.lines.clear()
    async with serving(ParametersController) as http:
        assert (await http.get("/parameters/depends")).json() == "connected"

    assert diary.lines == ["opened", "used", "closed"]  # once: FastAPI keeps it for the request


async def test_security_gets_the_scopes() -> None:
    async with serving(ParametersController) as http:
        answer = await http.get("/parameters/security", headers={"X-Caller": "me"})

    assert answer.json() == "me with a b"


async def test_path_query_header_and_response_are_given() -> None:
    async with serving(ParametersController) as http:
        answer = await http.get("/parameters/values/7?tag=a&tag=b&deep=true", headers={"User-Agent": "test"})
        bad = await http.get("/parameters/values/x?tag=a&tag=b&tag=c&deep=perhaps", headers={"User-Agent": "test"})

    assert answer.json() == {"number": 7, "tags": ["a", "b"], "agent": "test", "deep": True}
    assert answer.headers["x-own"] == "yes"
    assert sorted(error["pointer"] for error in bad.json()["errors"]) == ["/path/number", "/query/deep", "/query/tag"]


async def test_dependencies_and_queries_reach_a_method_that_makes_something() -> None:
    async with serving(ParametersController) as http:
        made = await http.post("/parameters/located?name=y")

    assert made.headers["location"] == "/api/v1/parameters/connected-y"


async def found(id: str) -> str:
    return f"found {id}"


async def test_given_a_dependency_that_takes_what_the_path_names_when_built_then_that_is_enough() -> None:
    class FoundController(ControllerBase):
        @get("/{id}", scopes=["r"])
        async def show(self, thing: Annotated[str, Depends(found)]) -> str:
            return thing

        @get("/files/{path:path}", scopes=["r"])
        async def file(self, path: str) -> str:
            return path

    async with serving(FoundController) as http:
        assert (await http.get("/found/7")).json() == "found 7"
        assert (await http.get("/found/files/a/b")).json() == "a/b"


class ModelsController(ControllerBase):
    @get("/annotated", scopes=["r"])
    async def annotated(self) -> Thing:
        return ThingWithSecret(id="1")

    @get("/declared", scopes=["r"], response_model=Thing, response_model_exclude_defaults=True)
    async def declared(self) -> Any:
        return {"id": "1", "size": 1, "secret": "hidden"}

    @get("/wrong", scopes=["r"])
    async def wrong(self) -> Thing:
        return {"size": "no number", "secret": "hidden"}  # type: ignore[return-value]

    @get("/raw", scopes=["r"], response_class=Response, responses={200: {"content": {"text/csv": {}}}})
    async def raw(self) -> Response:
        return Response("a;b", media_type="text/csv")


async def test_the_wire_is_what_the_model_says() -> None:
    async with serving(ModelsController) as http:
        assert (await http.get("/models/annotated")).json() == {"id": "1", "size": 1}
        assert (await http.get("/models/declared")).json() == {"id": "1"}
        raw = await http.get("/models/raw")
        assert (raw.text, raw.headers["content-type"]) == ("a;b", "text/csv; charset=utf-8")
        wrong = await http.get("/models/wrong")
        assert (wrong.status_code, wrong.json()["type"]) == (500, "urn:neuroglia:service:internal-error")
        assert "hidden" not in wrong.text
        assert "size" not in wrong.text


async def test_annotations_may_be_postponed() -> None:
    async with serving(NotesController) as http:
        made = await http.post("/notes", json={"id": "1", "text": "hi"})

        assert made.json() == {"id": "1", "text": "hi by ada"}
        assert (await http.get(made.headers["location"].removeprefix("/api/v1"))).json()["id"] == "1"


async def test_a_controller_has_the_mediator_and_what_else_it_asks_for() -> None:
    class GreetingsController(ControllerBase):
        def __init__(self, mediator: Mediator, diary: Diary) -> None:
            super().__init__(mediator)
            self.diary = diary

        @post(scopes=["w"])
        async def greet(self, name: str) -> str:
            self.diary.lines.append(name)
            return await self.mediator.execute(Greet(name))

    builder = WebApplicationBuilder(ServiceSettings())
    builder.add_mediation("tests.framework.mvc.greetings")
    builder.services.add_instance(Diary, mine := Diary())
    builder.services.add_singleton(GreetingsController)
    builder._controllers.append(GreetingsController)
    async with client_of(builder.build()) as http:
        assert (await http.post("/greetings?name=Ada")).json() == "Hello Ada"
        assert (await http.post("/greetings?name=Bob")).json() == "Hello Bob"

    assert mine.lines == ["Ada", "Bob"]  # one controller for all requests


def test_an_endpoint_that_says_not_who_may_call_it_stops_the_build() -> None:
    class OpenController(ControllerBase):
        @get()
        async def read(self) -> str:
            return ""

    with pytest.raises(ConfigurationError, match=r"OpenController\.read.*scopes"):
        application(OpenController)


def test_a_201_that_names_not_what_was_made_stops_the_build() -> None:
    class NamelessController(ControllerBase):
        @post(status_code=201, scopes=["w"])
        async def make(self) -> str:
            return ""

    with pytest.raises(ConfigurationError, match=r"NamelessController\.make.*location"):
        application(NamelessController)


async def test_two_applications_in_one_process_are_independent() -> None:
    one, other = application(CatsController), application(DogsController, BigThingsController)

    async with client_of(one) as cats, client_of(other) as dogs:
        assert (await cats.get("/cats")).status_code == 200
        assert (await cats.get("/dogs")).status_code == 404
        assert (await dogs.get("/dogs")).status_code == 200
        assert (await dogs.get("/cats")).status_code == 404
        assert set((await cats.get("/../openapi.json")).json()["paths"]) & {"/api/v1/dogs"} == set()


async def test_every_route_is_there_once() -> None:
    calls: list[str] = []

    class CountedController(ControllerBase):
        @post(scopes=["w"])
        async def count(self) -> None:
            calls.append("counted")

    async with serving(CountedController) as http:
        await http.post("/counted")
        document = (await http.get("/../openapi.json")).json()

    assert calls == ["counted"]
    assert [path for path in document["paths"] if "counted" in path] == ["/api/v1/counted"]


def test_decorators_leave_the_method_as_it_is() -> None:
    async def method(self: object, id: str) -> Thing:
        """What it does."""
        return Thing(id=id)

    assert get("/{id}", scopes=["r"])(method) is method
