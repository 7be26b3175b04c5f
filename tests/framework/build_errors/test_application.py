"""What stops the start of a whole application, from files as a newcomer would write them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from neuroglia.cloud_events import Outbox
from neuroglia.core import ConfigurationError
from neuroglia.core.generics import name_of
from neuroglia.documents import Documents
from neuroglia.domain import Repository
from neuroglia.event_sourcing import Subscriptions
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.mapping import Mapper
from neuroglia.mediation import Mediator
from neuroglia.scheduling import BackgroundTasks
from neuroglia.security.api_keys import ApiKeys

SOUND = {
    "domain/__init__.py": "",
    "domain/shop.py": """
        from neuroglia.domain import AggregateRoot, DomainEvent, event, when

        @event("shop.opened.v1")
        class Opened(DomainEvent):
            name: str

        class Shop(AggregateRoot, stream="shop"):
            @when
            def _opened(self, event: Opened) -> None:
                self.name = event.name
        """,
    "models/__init__.py": "",
    "models/shops.py": """
        from pydantic import BaseModel
        from neuroglia.documents import document

        @document("shops", indexes=["name"])
        class ShopDto(BaseModel):
            id: str
            name: str
        """,
    "application/__init__.py": "",
    "application/open_shop.py": """
        from dataclasses import dataclass
        from neuroglia.domain import Repository
        from neuroglia.mediation import Command, CommandHandler
        from app.domain.shop import Opened, Shop

        @dataclass(frozen=True, slots=True)
        class OpenShop(Command[str]):
            name: str

        class OpenShopHandler(CommandHandler[OpenShop, str]):
            def __init__(self, shops: Repository[Shop]) -> None:
                self.shops = shops

            async def handle(self, command: OpenShop) -> str:
                shop = Shop(command.name)
                shop.apply(Opened(name=command.name))
                await self.shops.save(shop)
                return shop.id
        """,
    "application/shops.py": """
        from neuroglia.documents import Documents
        from neuroglia.domain import Envelope
        from neuroglia.event_sourcing import Projection, on
        from app.domain.shop import Opened
        from app.models.shops import ShopDto

        class ShopProjection(Projection):
            def __init__(self, shops: Documents[ShopDto]) -> None:
                self.shops = shops

            @on
            async def opened(self, event: Opened, envelope: Envelope) -> None:
                await self.shops.save(ShopDto(id=envelope.aggregate_id, name=event.name))
        """,
    "api/__init__.py": "",
    "api/shops.py": """
        from neuroglia.mvc import ControllerBase, get
        from app.models.shops import ShopDto

        class ShopsController(ControllerBase):
            @get("/{id}", scopes=["shop:read"])
            async def shop(self, id: str) -> ShopDto:
                raise NotImplementedError
        """,
}

Build = Callable[..., str]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, str]], None]]:
    """Builds the sound application with some files replaced or added."""
    monkeypatch.syspath_prepend(tmp_path)

    def run(changed: dict[str, str]) -> None:
        for name, text in {"__init__.py": "", **SOUND, **changed}.items():
            path = tmp_path / "app" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
        builder = WebApplicationBuilder(
            ServiceSettings(event_store_url="sqlite:///:memory:", document_store_url="sqlite:///:memory:")
        )
        builder.add_controllers("app.api")
        builder.add_mediation("app.application")
        builder.add_event_sourcing("app.domain", subscriptions="app.application")
        builder.add_documents("app.models")
        builder.add_cloud_events("app.application")
        builder.build()

    yield run
    for name in [name for name in sys.modules if name == "app" or name.startswith("app.")]:
        del sys.modules[name]


@pytest.fixture
def refused(build: Callable[[dict[str, str]], None]) -> Build:
    """The message that a changed application is refused with."""

    def run(**changed: str) -> str:
        with pytest.raises(ConfigurationError) as failed:
            build({f"{name.replace('__', '/')}.py": text for name, text in changed.items()})
        return str(failed.value)

    return run


def test_given_nothing_wrong_when_built_then_it_is_built(build: Callable[[dict[str, str]], None]) -> None:
    build({})


def test_given_a_missing_service_when_built_then_class_parameter_and_remedy_are_named(refused: Build) -> None:
    message = refused(
        application__rename="""
        from dataclasses import dataclass
        from neuroglia.mediation import Command, CommandHandler

        class Mailer: ...

        @dataclass(frozen=True)
        class Rename(Command[None]):
            name: str

        class RenameHandler(CommandHandler[Rename, None]):
            def __init__(self, mailer: Mailer) -> None: ...
            async def handle(self, command: Rename) -> None: ...
        """
    )

    assert message == (
        "RenameHandler: parameter 'mailer' needs Mailer, which nobody registered; "
        "add it to the services, or give the parameter a default"
    )


def test_given_a_cycle_when_built_then_each_step_is_named(refused: Build) -> None:
    message = refused(
        application__ring="""
        from neuroglia.mediation import Query, QueryHandler

        class Ring(Query[None]): ...

        class RingHandler(QueryHandler[Ring, None]):
            def __init__(self, self_again: "RingHandler") -> None: ...
            async def handle(self, query: Ring) -> None: ...
        """
    )

    assert message.startswith("RingHandler(self_again) → RingHandler: a cycle; move what they share")


def test_given_a_controller_that_captures_a_repository_when_built_then_the_remedy_is_told(refused: Build) -> None:
    message = refused(
        api__greedy="""
        from neuroglia.documents import Documents
        from neuroglia.mediation import Mediator
        from neuroglia.mvc import ControllerBase
        from app.models.shops import ShopDto

        class GreedyController(ControllerBase):
            def __init__(self, mediator: Mediator, shops: Documents[ShopDto]) -> None:
                super().__init__(mediator)
        """
    )

    assert message == (
        "GreedyController: parameter 'shops' would keep the scoped Documents[ShopDto] for ever in a singleton; "
        "make GreedyController scoped, or open a scope for each use"
    )


SECOND_HANDLER = """
        from neuroglia.mediation import CommandHandler
        from app.application.open_shop import OpenShop

        class OtherHandler(CommandHandler[OpenShop, {result}]):
            async def handle(self, command: OpenShop) -> {result}:
                raise NotImplementedError
        """


def test_given_two_handlers_for_one_command_when_built_then_both_are_named(refused: Build) -> None:
    message = refused(application__other=SECOND_HANDLER.format(result="str"))

    assert message == "OpenShop: has two handlers, OpenShopHandler and OtherHandler; keep one"


def test_given_a_handler_with_another_result_when_built_then_both_results_are_named(refused: Build) -> None:
    message = refused(application__other=SECOND_HANDLER.format(result="int"))

    assert "OtherHandler: answers OpenShop with int, but OpenShop promises str; change one of them" in message


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("def handle(self, query: Ask)", "is a coroutine; write async def"),
        ("async def handle(self, query: Other)", "takes Other, but its class answers Ask; change one of them"),
    ],
)
def test_given_a_handler_whose_method_cannot_answer_when_built_then_the_remedy_is_told(
    refused: Build, method: str, said: str
) -> None:
    message = refused(
        application__ask=f"""
        from neuroglia.mediation import Query, QueryHandler

        class Ask(Query[str]): ...

        class Other: ...

        class AskHandler(QueryHandler[Ask, str]):
            {method} -> str:
                return ""
        """
    )

    assert message == f"AskHandler.handle: {said}"


def test_given_a_handler_that_takes_more_than_its_request_when_built_then_that_is_fine(
    build: Callable[[dict[str, str]], None],
) -> None:
    asking = """
        from __future__ import annotations
        from typing import TYPE_CHECKING, Any, Protocol, TypeVar
        from neuroglia.mediation import Query, QueryHandler, Request
        if TYPE_CHECKING:
            from decimal import Decimal

        Q = TypeVar("Q", bound=Query[str])

        class Ask(Query[str]): ...
        class AskAgain(Query[str]): ...
        class Wonder(Query[str]): ...
        class Count(Query[str]): ...

        class Counts(Protocol):
            def count(self) -> int: ...

        class CountHandler(QueryHandler[Count, str]):
            async def handle(self, query: Counts) -> str:
                return ""

        class Echo:
            async def handle(self, query: Q) -> str:
                return ""

        class AskHandler(Echo, QueryHandler[Ask, str]): ...

        class AskAgainHandler(QueryHandler[AskAgain, str]):
            async def handle(self, query: Request[Any]) -> str:
                return ""

        class WonderHandler(QueryHandler[Wonder, str]):
            async def handle(self, query: Wonder, aside: Decimal | None = None) -> str:
                return ""
        """
    build({"application/asking.py": asking})


def test_given_a_command_without_handler_when_built_then_it_is_named(refused: Build) -> None:
    message = refused(
        application__lonely="""
        from neuroglia.mediation import Command

        class Lonely(Command[None]): ...
        """
    )

    assert message == "Lonely: has no handler; write LonelyHandler beside it"


MISSPELT = {
    "a handler": """
        from neuroglia.mediation import Query, QueryHandler

        class Ask(Query[None]): ...

        class Lame(QueryHandler[Ask, None]):
            async def execute(self, query: Ask) -> None: ...
        """,
    "a handler of CloudEvents": """
        from neuroglia.cloud_events import CloudEventHandler, IntegrationEvent, cloud_event

        @cloud_event("io.shop.paid.v1")
        class Paid(IntegrationEvent):
            amount: int

        class Lame(CloudEventHandler[Paid]):
            async def handles(self, event: Paid) -> None: ...
        """,
    "a process manager": """
        from neuroglia.event_sourcing import on
        from neuroglia.process_managers import ProcessManager, Steps
        from app.domain.shop import Opened, Shop

        class Lame(ProcessManager, of=Shop):
            @on
            def opened(self, event: Opened) -> Steps:
                return None
        """,
}


@pytest.mark.parametrize(
    ("kind", "missing"),
    [("a handler", "handle"), ("a handler of CloudEvents", "handle"), ("a process manager", "unfinished")],
)
def test_given_a_class_that_lacks_a_method_when_built_then_both_are_named(
    refused: Build, kind: str, missing: str
) -> None:
    message = refused(application__lame=MISSPELT[kind])

    assert message == (
        f"Lame: has no {missing}; write what is missing, or derive it from ABC, too, if it is a base of others"
    )


def test_given_abstract_bases_when_built_then_they_are_taken_for_what_they_are(
    build: Callable[[dict[str, str]], None],
) -> None:
    bases = """
        from abc import ABC, abstractmethod
        from typing import TypeVar
        from neuroglia.mediation import Query, QueryHandler

        class Ask(Query[str]): ...

        Q = TypeVar("Q", bound=Query[str])

        class Marked(QueryHandler[Ask, str], ABC): ...

        class Open(QueryHandler[Q, str]): ...

        class Deferring(QueryHandler[Ask, str]):
            async def handle(self, query: Ask) -> str:
                return self.answer()

            @abstractmethod
            def answer(self) -> str: ...

        class DerivedFrom(QueryHandler[Ask, str]): ...

        class AskHandler(DerivedFrom):
            async def handle(self, query: Ask) -> str:
                return ""
        """
    build({"application/bases.py": bases})


def test_given_a_command_whose_field_types_cannot_be_resolved_when_built_then_it_is_named(refused: Build) -> None:
    message = refused(
        application__vague="""
        from __future__ import annotations
        from dataclasses import dataclass
        from typing import TYPE_CHECKING
        from neuroglia.mediation import Command, CommandHandler
        if TYPE_CHECKING:
            from decimal import Decimal

        @dataclass(frozen=True)
        class Vague(Command[None]):
            amount: Decimal

        class VagueHandler(CommandHandler[Vague, None]):
            async def handle(self, command: Vague) -> None: ...
        """
    )

    assert message == "Vague: name 'Decimal' is not defined; import it at the top of the module"


FOR_CHECKERS = """
        from __future__ import annotations
        from collections.abc import Mapping
        from typing import TYPE_CHECKING
        from pydantic import BaseModel
        from neuroglia.cloud_events import CloudEventHandler, IntegrationEvent, cloud_event, publishes
        from neuroglia.documents import document
        from neuroglia.domain import DomainEvent, Envelope, event
        from neuroglia.event_sourcing import Projection, on
        from neuroglia.mapping import by_name
        if TYPE_CHECKING:
            from decimal import Decimal
        """


@pytest.mark.parametrize(
    ("place", "code", "said"),
    [
        (
            "application",
            """
        class Vague(Projection):
            def __init__(self, amount: Decimal) -> None: ...
        """,
            "Vague.__init__: name 'Decimal' is not defined",
        ),
        (
            "application",
            """
        class Vague(Projection):
            @on
            async def opened(self, event: Decimal) -> None: ...
        """,
            "Vague.opened: name 'Decimal' is not defined",
        ),
        (
            "application",
            """
        @publishes("io.shop.vague.v1")
        def vague(event: Decimal, envelope: Envelope) -> Mapping[str, str]: ...
        """,
            "vague: name 'Decimal' is not defined",
        ),
        (
            "application",
            """
        class Vague:
            amount: Decimal

        class Shown(BaseModel):
            amount: int

        shown = by_name(Vague, Shown)
        """,
            "Vague: name 'Decimal' is not defined",
        ),
        (
            "application",
            """
        @cloud_event("io.shop.vague.v1")
        class Vague(IntegrationEvent):
            amount: Decimal

        class VagueHandler(CloudEventHandler[Vague]):
            async def handle(self, event: Vague) -> None: ...
        """,
            "Vague: a type in it is unknown",
        ),
        (
            "domain",
            """
        @event("shop.vague.v1")
        class Vague(DomainEvent):
            amount: Decimal
        """,
            "Vague: a type in it is unknown",
        ),
        (
            "models",
            """
        @document("vague")
        class Vague(BaseModel):
            id: str
            amount: Decimal
        """,
            "Vague: a type in it is unknown",
        ),
    ],
)
def test_given_a_type_that_is_imported_for_checkers_alone_when_built_then_the_remedy_is_told(
    refused: Build, place: str, code: str, said: str
) -> None:
    message = refused(**{f"{place}__vague": dedent(FOR_CHECKERS) + dedent(code)})

    assert message == f"{said}; import it at the top of the module"


def test_given_two_projections_that_write_one_model_when_built_then_both_are_named(refused: Build) -> None:
    message = refused(
        application__rival="""
        from neuroglia.documents import Documents
        from neuroglia.event_sourcing import Projection
        from app.models.shops import ShopDto

        class RivalProjection(Projection):
            def __init__(self, shops: Documents[ShopDto]) -> None: ...
        """
    )

    assert "RivalProjection" in message
    assert "ShopProjection" in message
    assert "both write ShopDto; a read model has one projection" in message


def test_given_a_mapping_with_an_unfilled_field_when_built_then_the_field_is_named(refused: Build) -> None:
    message = refused(
        application__mapping="""
        from pydantic import BaseModel
        from neuroglia.mapping import by_name
        from app.models.shops import ShopDto

        class Wide(BaseModel):
            name: str
            email: str

        show = by_name(ShopDto, Wide)
        """
    )

    assert message.startswith("by_name(ShopDto, Wide): ShopDto has no 'email'; give Wide.email a default")


@pytest.mark.parametrize(
    ("decorator", "said"),
    [
        ("@get('/x')", "says not who may call it; add scopes"),
        ("@post('/x', status_code=201, scopes=['shop:write'])", "a 201 names what was created; add location="),
        ("@get('/x', scopes='shop:read')", 'scopes is a list; write scopes=["shop:read"]'),
        (
            "@post('/x', status_code=201, location='/{key}', scopes=['shop:write'])",
            "its location or etag names 'key', which its result has not",
        ),
        ("@get('/x', etag='revision', scopes=['shop:read'])", "its location or etag names 'revision'"),
        ("@get('{id}', scopes=['shop:read'])", 'a path begins with a slash; write "/{id}"'),
        (
            "@get('/{thingid}', scopes=['shop:read'])",
            "its path has {thingid}, but it takes no 'thingid'; give both one name",
        ),
    ],
)
def test_given_an_endpoint_that_says_too_little_when_built_then_the_remedy_is_told(
    refused: Build, decorator: str, said: str
) -> None:
    message = refused(
        api__things=f"""
        from neuroglia.mvc import ControllerBase, get, post

        class ThingsController(ControllerBase):
            {decorator}
            async def thing(self) -> str:
                return ""
        """
    )

    assert message.startswith(f"ThingsController.thing: {said}")


@pytest.mark.parametrize("path", ["/{id}", "/{key}"])
def test_given_two_endpoints_of_one_path_when_built_then_both_are_named(refused: Build, path: str) -> None:
    message = refused(
        api__things=f"""
        from neuroglia.mvc import ControllerBase, get

        class ThingsController(ControllerBase, prefix="/shops"):
            @get("{path}", scopes=["shop:read"])
            async def thing(self, {path[2:-1]}: str) -> str:
                return ""
        """
    )

    served = "ShopsController.shop serves this method and path already"
    assert message == f"ThingsController.thing: {served}; give it another path"


def test_given_a_module_that_fails_to_import_when_built_then_it_is_named(refused: Build) -> None:
    message = refused(application__broken="import not_there")

    assert message == (
        "app.application.broken cannot be imported: ModuleNotFoundError: No module named 'not_there' "
        "(in app.application.broken, line 1)"
    )


def test_given_an_event_without_a_name_when_built_then_the_remedy_is_told(refused: Build) -> None:
    message = refused(
        domain__nameless="""
        from neuroglia.domain import DomainEvent

        class Nameless(DomainEvent): ...
        """
    )

    assert message == 'Nameless: an event needs a name; write @event("service.fact.v1") over it'


EVENT = """
        from neuroglia.domain import DomainEvent, event, upcast

        @event("{name}")
        class Closed(DomainEvent): ...
        """


def test_given_two_events_with_one_name_when_built_then_it_is_refused(refused: Build) -> None:
    message = refused(domain__closed=EVENT.format(name="shop.opened.v1"))

    assert "another event is already called shop.opened.v1" in message
    assert "Opened" in message or "Closed" in message


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([("a.v1", "a.v2")], "a.v1: its upcasters end at a.v2, which is no event of this service"),
        ([("a.v1", "a.v2"), ("a.v2", "a.v1")], "a.v1: its upcasters form a cycle at a.v1"),
        ([("a.v1", "a.v1")], "a.v1: its upcasters form a cycle at a.v1"),
        ([("a.v1", "shop.closed.v1"), ("a.v1", "shop.opened.v1")], "a.v1: two upcasters start from it; keep one"),
        ([("shop.closed.v1", "shop.opened.v1")], "an event class and an upcaster both have this name"),
    ],
)
def test_given_upcasters_that_lead_nowhere_when_built_then_the_event_is_named(
    refused: Build, steps: list[tuple[str, str]], said: str
) -> None:
    upcasters = "".join(
        f"""
        @upcast("{old}", to="{new}")
        def step_{index}(data):
            return data
        """
        for index, (old, new) in enumerate(steps)
    )

    assert said in refused(domain__closed=EVENT.format(name="shop.closed.v1") + upcasters)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class Lost(AggregateRoot): ...", "Lost: has no stream; write (AggregateRoot, stream="),
        ("class Rival(AggregateRoot, stream='shop'): ...", "already has the stream 'shop'"),
        (
            """class Deaf(AggregateRoot, stream='deaf'):
            @when
            def heard(self, event): ...""",
            "Deaf.heard: a @when method takes self and one event, annotated",
        ),
        (
            """class Blind(AggregateRoot, stream='blind'):
            @when
            def seen(self, event: 'Unseen') -> None: ...""",
            "Blind.seen: name 'Unseen' is not defined; import the event's class at the top of the module",
        ),
        (
            """from app.domain.shop import Opened
class Forgetful(AggregateRoot, stream='forgetful'):
            def _opened(self, event: Opened) -> None: ...""",
            "Forgetful._opened: takes an event but is not marked; write @when over it, or give it the event's values",
        ),
        ("class Bad(AggregateRoot, stream='a-b'): ...", "Bad: a stream category is not empty and has no '-'"),
    ],
)
def test_given_an_aggregate_that_is_declared_wrongly_when_built_then_it_is_named(
    refused: Build, text: str, said: str
) -> None:
    assert said in refused(domain__more=f"from neuroglia.domain import AggregateRoot, when\n{text}")


@pytest.mark.parametrize(
    ("declaration", "said"),
    [
        ('@document("things", indexes=["colour"])', "Thing: @document names 'colour', which is no field of it"),
        ('@document("things", key="colour")', "Thing: @document names 'colour', which is no field of it"),
        ('@document("Some Things")', "Thing: 'Some Things' is no collection name (a-z, 0-9, _)"),
        ('@document("shops")', "ShopDto already has the collection 'shops'; give it another one"),
        ('@document("checkpoints")', "Checkpoint already has the collection 'checkpoints'; give it another one"),
        ('@document("things", indexes=["price"])', "Thing: 'price' is a Decimal, which stores would order as text"),
    ],
)
def test_given_a_document_that_is_declared_wrongly_when_built_then_it_is_named(
    refused: Build, declaration: str, said: str
) -> None:
    message = refused(
        models__things=f"""
        from decimal import Decimal
        from pydantic import BaseModel
        from neuroglia.documents import document

        {declaration}
        class Thing(BaseModel):
            id: str
            price: Decimal
        """
    )

    assert said in message


def test_given_a_query_that_reads_what_is_no_projection_when_built_then_both_are_named(refused: Build) -> None:
    message = refused(
        application__ask="""
        from dataclasses import dataclass
        from neuroglia.event_sourcing import Projection, reads
        from neuroglia.mediation import Query, QueryHandler
        from app.domain.shop import Shop

        @dataclass(frozen=True, slots=True)
        class Ask(Query[str]):
            id: str

        @reads(Shop)
        class AskHandler(QueryHandler[Ask, str]):
            async def handle(self, query: Ask) -> str:
                return ""
        """
    )

    assert message.startswith("AskHandler: @reads(Shop), which is no projection")


def test_given_a_projection_with_a_plain_function_when_built_then_the_remedy_is_told(refused: Build) -> None:
    message = refused(
        application__second="""
        from neuroglia.event_sourcing import Projection, on
        from app.domain.shop import Opened

        class SecondProjection(Projection):
            @on
            def opened(self, event: Opened) -> None: ...
        """
    )

    assert message == "SecondProjection.opened: an @on method is a coroutine; write async def"


def test_given_a_projection_with_a_forgotten_mark_when_built_then_the_remedy_is_told(refused: Build) -> None:
    message = refused(
        application__second="""
        from neuroglia.event_sourcing import Projection
        from app.domain.shop import Opened

        class SecondProjection(Projection):
            async def opened(self, event: Opened) -> None: ...
        """
    )

    assert message.startswith("SecondProjection.opened: takes an event but is not marked; write @on over it")


@pytest.mark.parametrize("part", ["documents", "event_sourcing"])
def test_given_a_part_that_is_added_twice_when_composed_then_it_is_refused(
    build: Callable[[dict[str, str]], None], part: str
) -> None:
    build({})
    builder = WebApplicationBuilder(ServiceSettings())
    for attempt in (1, 2):
        with nullcontext() if attempt == 1 else pytest.raises(ConfigurationError, match="called twice"):
            if part == "documents":
                builder.add_documents("app.models")
            else:
                builder.add_event_sourcing("app.domain", subscriptions="app.application")


@pytest.mark.parametrize("method", [name for name in dir(WebApplicationBuilder) if name.startswith("add_")])
def test_given_a_part_that_is_added_after_build_then_its_place_is_told(method: str) -> None:
    builder = WebApplicationBuilder(ServiceSettings())
    builder.build()

    with pytest.raises(ConfigurationError) as failed:
        getattr(builder, method)("app.application")

    assert str(failed.value) == f"{method} was called after build(); write it above app = builder.build()"


def test_given_a_package_without_controllers_when_added_then_the_remedy_is_told() -> None:
    builder = WebApplicationBuilder(ServiceSettings())

    with pytest.raises(ConfigurationError) as failed:
        builder.add_controllers("json")

    assert str(failed.value) == "add_controllers: json has no controllers; name their package"


def test_given_operations_above_a_store_when_composed_then_their_place_is_told(
    build: Callable[[dict[str, str]], None],
) -> None:
    build({})
    builder = WebApplicationBuilder(ServiceSettings())
    builder.add_operations()
    with pytest.raises(ConfigurationError, match=r"add_operations shows .* call it below add_documents"):
        builder.add_documents("app.models")
    with pytest.raises(ConfigurationError, match=r"add_operations shows .* call it below add_event_sourcing"):
        builder.add_event_sourcing("app.domain", subscriptions="app.application")


@pytest.mark.parametrize(
    ("service", "call"),
    [
        (Repository[Any], "add_event_sourcing"),
        (Subscriptions, "add_event_sourcing"),
        (Documents[Any], "add_documents"),
        (Mediator, "add_mediation"),
        (Mapper, "add_mediation"),
        (BackgroundTasks, "add_background_tasks"),
        (Outbox, "add_cloud_events"),
        (ApiKeys, "add_api_keys"),
    ],
)
def test_given_a_service_of_a_part_that_was_not_added_when_built_then_the_call_is_told(service: Any, call: str) -> None:
    class Asking:
        def __init__(self, wanted: object) -> None: ...

    Asking.__init__.__annotations__["wanted"] = service
    builder = WebApplicationBuilder(ServiceSettings())
    builder.services.add_scoped(Asking)

    with pytest.raises(ConfigurationError) as failed:
        builder.build()

    told = f"Asking: parameter 'wanted' needs {name_of(service)}, which nobody registered"
    assert str(failed.value) == f"{told}; call builder.{call}(...)"


def test_given_event_sourcing_without_documents_when_built_then_that_is_told_once(
    build: Callable[[dict[str, str]], None],
) -> None:
    build({})
    builder = WebApplicationBuilder(ServiceSettings())
    builder.add_controllers("app.api")
    builder.add_mediation("app.application")
    builder.add_event_sourcing("app.domain", subscriptions="app.application")

    with pytest.raises(ConfigurationError) as failed:
        builder.build()

    assert str(failed.value).count("\n") == 0
    assert str(failed.value).endswith("which nobody registered; call builder.add_documents(...)")


def test_given_a_handler_that_reads_an_undeclared_document_when_built_then_class_and_model_are_named(
    refused: Build,
) -> None:
    message = refused(
        application__find="""
        from neuroglia.documents import Documents
        from neuroglia.mediation import Query, QueryHandler
        from app.domain.shop import Opened

        class Find(Query[None]): ...

        class FindHandler(QueryHandler[Find, None]):
            def __init__(self, found: Documents[Opened]) -> None: ...
            async def handle(self, query: Find) -> None: ...
        """
    )

    assert message == (
        "Documents[Opened]: parameter 'kind' needs DocumentType[Opened], which nobody registered; "
        'write @document("…") over Opened, in the package given to add_documents (asked for by FindHandler)'
    )


def test_given_a_repository_of_what_is_no_aggregate_when_built_then_class_and_parameter_are_named(
    refused: Build,
) -> None:
    message = refused(
        application__find="""
        from neuroglia.domain import Repository
        from neuroglia.mediation import Query, QueryHandler
        from app.models.shops import ShopDto

        class Find(Query[None]): ...

        class FindHandler(QueryHandler[Find, None]):
            def __init__(self, shops: Repository[ShopDto]) -> None: ...
            async def handle(self, query: Find) -> None: ...
        """
    )

    assert message == (
        "EventSourcedRepository for Repository[ShopDto]: ShopDto is no AggregateRoot, which it has to be; "
        "parameter 'shops' of FindHandler asks for it"
    )


@pytest.mark.parametrize(
    ("variable", "url", "remedy"),
    [
        ("event_store_url", "redis://x", "EVENT_STORE_URL: no event store is known for 'redis://'"),
        ("document_store_url", "redis://x", "DOCUMENT_STORE_URL: no document store is known for 'redis://'"),
    ],
)
async def test_given_a_store_that_nobody_knows_when_connected_then_variable_and_remedy_are_named(
    variable: str, url: str, remedy: str
) -> None:
    from neuroglia.hosting.backing_services import connect_document_store, connect_event_store

    connect = connect_event_store if variable == "event_store_url" else connect_document_store
    with pytest.raises(ConfigurationError, match=remedy):
        connect(url)


PAYMENT = """
        from neuroglia.cloud_events import CloudEventHandler, IntegrationEvent, cloud_event

        @cloud_event("io.shop.paid.v1")
        class Paid(IntegrationEvent):
            amount: int

        class PaidHandler(CloudEventHandler[Paid]):
            async def handle(self, event: Paid) -> None: ...
        """


def test_given_two_handlers_for_one_cloud_event_when_built_then_both_are_named(refused: Build) -> None:
    again = """
        from neuroglia.cloud_events import CloudEventHandler
        from app.application.a_payments import Paid

        class AgainHandler(CloudEventHandler[Paid]):
            async def handle(self, event: Paid) -> None: ...
        """
    message = refused(application__a_payments=PAYMENT, application__b_payments=again)

    assert message == "io.shop.paid.v1: has two handlers, PaidHandler and AgainHandler; keep one"


@pytest.mark.parametrize("base", ["CloudEventHandler", "CloudEventHandler[str]"])
def test_given_a_handler_that_names_no_event_when_built_then_the_remedy_is_told(refused: Build, base: str) -> None:
    message = refused(application__payments=PAYMENT.replace("CloudEventHandler[Paid]", base))

    assert message == "PaidHandler: name its event, as CloudEventHandler[InterestDue]"


def test_given_a_cloud_event_handler_with_a_plain_function_when_built_then_the_remedy_is_told(refused: Build) -> None:
    message = refused(application__payments=PAYMENT.replace("async def", "def"))

    assert message == "PaidHandler.handle: is a coroutine; write async def"


def test_given_an_integration_event_without_a_type_when_built_then_the_remedy_is_told(refused: Build) -> None:
    message = refused(application__payments=PAYMENT.replace('@cloud_event("io.shop.paid.v1")', ""))

    assert message == 'Paid: needs a type; write @cloud_event("io.service.fact.v1") over it'


def test_given_a_cloud_event_handler_that_needs_what_is_not_there_when_built_then_it_is_named(refused: Build) -> None:
    message = refused(
        application__payments=PAYMENT.replace(
            "            async def", "            def __init__(self, mailer: Paid) -> None: ...\n            async def"
        )
    )

    assert message.startswith("PaidHandler: parameter 'mailer' needs Paid, which nobody registered")


PUBLICATION = """
        from collections.abc import Mapping
        from pydantic import JsonValue
        from neuroglia.cloud_events import publishes
        from neuroglia.domain import DomainEvent, Envelope, event
        from app.domain.shop import Opened

        @publishes("io.shop.opened.v1")
        def publish_opened(event: Opened, envelope: Envelope) -> Mapping[str, JsonValue]:
            return {"shop_id": envelope.aggregate_id}
        """


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("event: Opened, envelope: Envelope", "event: Opened"),
        ("event: Opened, envelope: Envelope", "event, envelope: Envelope"),
        ("event: Opened, envelope: Envelope", "envelope: Envelope, event: Opened"),
        ("event: Opened, envelope: Envelope", "event: str, envelope: Envelope"),
        (" -> Mapping[str, JsonValue]", ""),
        ("Mapping[str, JsonValue]:", "str:"),
        ("        def publish", "        async def publish"),
    ],
)
def test_given_a_publication_of_another_shape_when_built_then_the_right_one_is_shown(
    refused: Build, right: str, wrong: str
) -> None:
    message = refused(application__publications=PUBLICATION.replace(right, wrong))

    assert message == (
        "publish_opened: what @publishes is a plain function, annotated as "
        "(event: AccountOpened, envelope: Envelope) -> Mapping[str, JsonValue]"
    )


@pytest.mark.parametrize("name", ["io.shop.opened.v1", "io.shop.opened.v2"])
def test_given_an_event_that_is_published_twice_when_built_then_it_is_named(refused: Build, name: str) -> None:
    again = PUBLICATION.replace("publish_opened", "publish_again").replace("io.shop.opened.v1", name)
    message = refused(application__publications=PUBLICATION, application__qublications=again)

    assert message == f"publish_again: Opened or {name} is already published; keep one"


def test_given_a_published_event_of_another_package_when_built_then_it_is_named(refused: Build) -> None:
    own = """@event("shop.closed.v1")
        class Closed(DomainEvent): ...

        @publishes"""
    message = refused(
        application__publications=PUBLICATION.replace("@publishes", own).replace("event: Opened", "event: Closed")
    )

    assert message == (
        "publish_opened: Closed is no event of the package given to add_event_sourcing; "
        "call that before add_cloud_events"
    )


def test_given_cloud_events_without_documents_when_added_then_what_to_call_is_told() -> None:
    builder = WebApplicationBuilder(ServiceSettings())

    with pytest.raises(ConfigurationError, match="call add_documents before it"):
        builder.add_cloud_events("tests.framework.core")


@pytest.mark.parametrize("url", ["sink", "ftp://sink/events", "http://", "/events"])
def test_given_a_sink_that_is_no_url_then_the_variable_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD_EVENTS_SINK", url)

    with pytest.raises(ValueError, match="cloud_events_sink"):
        ServiceSettings()
