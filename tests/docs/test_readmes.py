"""What the READMEs say is true: their code runs, their commands work, their links lead somewhere."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from api_gateway.domain.models.prompt_status import LIFE, PromptStatus
from api_gateway.main import create_app as create_gateway
from api_gateway.settings import ApiGatewaySettings
from deployment.demo import keep_up
from deployment.processes import free_port, serving, until
from desktop_controller.settings import DesktopControllerSettings
from neuroglia.cloud_events import CloudEventBus
from neuroglia.core import ConfigurationError
from neuroglia.domain import AggregateRoot, Repository
from neuroglia.event_sourcing import EventCodec, EventStore, StoredEvent
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.mediation import Mediator
from neuroglia.testing import given_process, running
from openbank.settings import OpenBankSettings
from tests.support.collector import collecting
from tests.support.issuer import authorized
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
FRAMEWORK = ROOT / "framework/README.md"
GATEWAY = ROOT / "api-gateway/README.md"
DESKTOP = ROOT / "desktop-controller/README.md"
SETTINGS: dict[str, type[ServiceSettings]] = {
    "framework": ServiceSettings,
    "openbank": OpenBankSettings,
    "desktop-controller": DesktopControllerSettings,
    "api-gateway": ApiGatewaySettings,
}
"""What the table on the page of each folder is about."""
READMES = sorted([ROOT / "README.md", *ROOT.glob("*/README.md")])
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("docs/**/*.md")])
TARGET = re.compile(r"`?\bmake ([a-z-]+)(?=`|\s{2,}#|\n)")


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def typed(commands: str, folder: Path, **environment: str) -> str:
    """What is shown when somebody types this in a folder, with our programs; whatever it has started ends with it."""
    with (folder / "shown").open("w+") as shown:
        shell = subprocess.Popen(
            ["bash", "-e", "-c", commands.replace(".venv/bin/", f"{Path(sys.executable).parent}/")],
            cwd=folder, env={**os.environ, **environment}, stdout=shown, stderr=shown, start_new_session=True,
        )  # fmt: skip
        try:
            code = shell.wait(60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
        shown.seek(0)
        text = shown.read()
        assert code == 0, text
        return text


def lines_of(shown: str) -> list[str]:
    """What was shown, of which nothing stands on the line of the prompt that comes next."""
    assert shown.endswith("\n")
    return shown.splitlines()


def declared_targets() -> set[str]:
    """What the Makefile can make, files aside."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    missing = [link for link in targets if "://" not in link and not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", READMES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_line_is_too_long_to_be_read(page: Path) -> None:
    lines = [line for line in page.read_text().splitlines() if not line.startswith("|")]  # a table's cell may need it
    assert [line for line in lines if len(line) > 200] == []


def test_every_test_that_proves_a_guarantee_is_there() -> None:
    page = (ROOT / "docs/guarantees.md").read_text()
    rows = [row for row in page.splitlines() if row.startswith("| ")][1:]
    for row in rows:
        proofs = re.findall(r"`(tests/[^`]+|make [a-z]+)`", row)
        assert proofs, row
        assert [proof for proof in proofs if not proof.startswith("make ") and not (ROOT / proof).exists()] == []
    assert len(rows) > 30


def test_what_one_sees_when_something_does_not_work_is_what_is_said() -> None:
    section = (ROOT / "README.md").read_text().partition("## When something does not work")[2].partition("\n## ")[0]
    said = [quoted for row in section.splitlines()[4:] for quoted in re.findall(r"`([^`]+)`", row.partition(" | ")[0])]
    sources = [*ROOT.glob("framework/src/**/*.py"), ROOT / "docker-compose.yml", ROOT / "deployment/processes.py"]
    texts = "".join(source.read_text() for source in sources)
    assert len(said) > 6
    assert [quoted for quoted in said if quoted not in texts] == []


def test_every_make_target_that_a_page_names_exists() -> None:
    named = {target for page in PAGES for target in TARGET.findall(page.read_text())}
    assert {"demo", "test", "test-containers"} <= named <= declared_targets()


def test_the_first_page_names_the_ports_of_make_run() -> None:
    told = re.findall(
        r"^\| .+ \| <http://127\.0\.0\.1:(\d+).*> \| `(.+)` \|$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert {variable: port for port, variable in told} == keep_up.PORTS


def test_make_help_lists_every_target() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"make ([a-z-]+)", shown)) == declared_targets()


def python_with(*known: str) -> str:
    """The blocks of the framework's page with these texts, each of which stands in one alone."""
    found = [[block for block in blocks(FRAMEWORK, "python") if text in block] for text in known]
    assert [len(same) for same in found] == [1] * len(known)
    return "\n\n".join(block for (block,) in found)


def whole_tally() -> str:
    """The service in one file, with all that the page adds to it."""
    more = ("class Note(", "class NextTally", "class KeepCounting", "class ClickedHandler", "class WarmUp")
    builder = "def create_builder"
    source = python_with(builder).replace(builder, f"{python_with(*more)}\n\n{builder}")
    for added in ("add_cloud_events(__name__)", "add_background_tasks(__name__)", "add_api_keys()"):
        source = source.replace("    return builder\n", f"    builder.{added}\n    return builder\n")
    return source


@pytest.fixture
def tally(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The service in one file, with all that the page adds to it."""
    (tmp_path / "tally.py").write_text(whole_tally())
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    yield __import__("tally")
    sys.modules.pop("tally", None)


@pytest.fixture
def app(tally: ModuleType) -> FastAPI:
    return cast("FastAPI", tally.create_builder(ServiceSettings()).build())


async def test_the_service_in_one_file_works(app: FastAPI) -> None:
    async with running(app) as service:
        begun = (await service.when("POST", "/api/v1/tallies")).then(201, {"total": 1})
        path = begun.response.headers["location"]
        for total in (2, 3):
            (await service.when("POST", f"{path}/count")).then(200, {"total": total})
        (await service.when("POST", f"{path}/count")).then_refused(422, "too-high")
        (await service.when("GET", path)).then(200, {"total": 3})
        log = await (await service.services.get(EventStore)).read_all()
        assert [event.revision for event in log.events] == [0, 1, 2, 0]  # the reaction has begun the next one


@pytest.mark.integration
def test_the_service_in_one_file_is_tried_as_its_page_says(tmp_path: Path) -> None:
    (tmp_path / "tally.py").write_text(python_with("def create_builder"))
    issuer, tally = free_port(), free_port()
    told = {"PORT": str(issuer), "OAUTH2_ISSUER": f"http://127.0.0.1:{issuer}"}
    start, ask, end, count = blocks(FRAMEWORK, "sh")[:4]
    commands = "".join((start, ask, count, count, end)).replace("127.0.0.1:8090", f"127.0.0.1:{issuer}")
    commands = commands.replace("127.0.0.1:8000", f"127.0.0.1:{tally}").replace("PORT=8000", f"PORT={tally}")
    shown = typed(commands + "wait", tmp_path, PYTHONPATH=str(ROOT), **told)
    begun = re.search(r'\{"id":"[^"]+","total":1,"version":0\}', shown)
    assert re.findall(r"HTTP/1\.1 (\d+) ", shown) == ["201", "200", "412"], "begun, counted on, and not once more"
    assert begun
    assert shown.count(begun[0]) == 2, "begun, and read"


def test_the_service_in_one_file_is_in_order_where_it_is_saved() -> None:
    for command in (["check", "--quiet"], ["format", "--check", "--quiet"]):
        ruff = [str(Path(sys.executable).with_name("ruff")), *command, "--stdin-filename", str(ROOT / "tally.py"), "-"]
        checked = subprocess.run(
            ruff, input=python_with("def create_builder"), capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stdout) == (0, "")


async def test_the_notes_of_the_page_are_listed_page_by_page_the_newest_first(app: FastAPI) -> None:
    async with running(app) as service:
        for tally, text in (("a", "one"), ("b", "other"), ("a", "two"), ("a", "three")):
            (await service.when("POST", "/api/v1/notes", json={"tally_id": tally, "text": text})).then(200)
        first = (await service.when("GET", "/api/v1/notes?tally_id=a&limit=2")).then(200)
        last = (await service.when("GET", f"/api/v1/notes?tally_id=a&cursor={first.body['next_cursor']}")).then(200)
    assert [[note["text"] for note in page.body["items"]] for page in (first, last)] == [["three", "two"], ["one"]]
    assert last.body["next_cursor"] is None


def test_settings_of_ones_own_give_the_service_its_name(tally: ModuleType) -> None:
    exec(python_with("class TallySettings"), vars(tally))
    assert tally.TallySettings().oauth2.audience == "tally"


async def test_the_service_in_one_file_counts_a_click_once_and_tells_it(app: FastAPI) -> None:
    told: list[Any] = []
    async with running(app) as service:
        (await service.services.get(CloudEventBus)).output.subscribe(told.append)
        begun = (await service.when("POST", "/api/v1/tallies")).then(201, {"total": 1})
        click = {
            "specversion": "1.0", "id": "1", "source": "/clicks", "type": "io.clicks.clicked.v1",
            "data": {"tally_id": begun.body["id"]},
        }  # fmt: skip
        for _ in range(2):
            headers = {"content-type": "application/cloudevents+json"}
            (await service.when("POST", "/api/v1/cloudevents", json=click, headers=headers)).then(202)

        async def both_told() -> bool:
            return [event.get_data() for event in told] == [{"total": 1}, {"total": 2}]

        await eventually(both_told)
        assert {event.get_type() for event in told} == {"io.tally.counted.v1"}


async def test_the_job_of_the_page_counts_one_on_once(tally: ModuleType, app: FastAPI) -> None:
    async with running(app) as service:
        begun = (await service.when("POST", "/api/v1/tallies")).then(201, {"total": 1})
        mediator = await service.services.get(Mediator)
        first = await mediator.execute(tally.CountLater(begun.body["id"]))

        async def counted() -> bool:
            return bool((await service.when("GET", begun.response.headers["location"])).body["total"] == 2)

        await eventually(counted)
        assert await mediator.execute(tally.CountLater(begun.body["id"])) == first


def test_the_process_of_the_page_counts_on_until_the_tally_is_full(tally: ModuleType) -> None:
    given = given_process(tally.KeepCounting)
    given.when(tally.Tally, "1", tally.Counted(total=2)).steps.then(tally.Count("1"), after=timedelta(hours=1))
    given.when(tally.Tally, "1", tally.Counted(total=3)).steps.then()


@pytest.mark.integration
def test_the_tests_of_the_service_in_one_file_pass_in_a_project_of_their_own(tmp_path: Path) -> None:
    tests = python_with("from neuroglia.testing import")
    (install,) = [block for block in blocks(FRAMEWORK, "sh") if "pip install" in block]
    (settings,) = blocks(FRAMEWORK, "toml")
    (tmp_path / "tally.py").write_text(whole_tally())
    (tmp_path / "test_tally.py").write_text(tests)
    (tmp_path / "pyproject.toml").write_text(settings)
    install = install.replace("/path/to/framework", str(ROOT / "framework")).replace("python", ".venv/bin/python")
    nothing = "pip install --dry-run --no-index --no-deps --no-build-isolation"  # all of it is there already
    assert "Would install neuroglia" in typed(install.replace("pip install", nothing), tmp_path)
    assert f"{tests.count('def test_')} passed" in typed(".venv/bin/python -m pytest -p no:schemathesis", tmp_path)


def test_an_event_of_an_old_version_is_read_as_the_page_says(tally: ModuleType) -> None:
    exec(python_with("@upcast("), vars(tally))
    codec = EventCodec([tally.Counted], [tally.it_was_one_each_time])
    old = StoredEvent(1, "tally-7", 0, "1", "tally.counted.v1", b'{"total": 2}', datetime.now(UTC), "1", None, "ada")
    assert codec.decode(old) == tally.Counted(total=2, by=1)


def test_a_constructor_may_ask_for_all_that_the_page_lists(tally: ModuleType, app: FastAPI) -> None:
    section = FRAMEWORK.read_text().partition("## What a constructor may ask for")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)(?:\[([AD])\])?` \| `([a-z_.]+)` \| .+ \| (.+) \|$", section, re.MULTILINE)
    assert len(rows) == len([line for line in section.splitlines() if line.startswith("|")]) - 2 > 10
    for name, argument, module, added in rows:
        kind = getattr(import_module(module), name)
        if argument:
            kind = kind[{"A": tally.Tally, "D": tally.TallyDto}[argument]]
        assert app.state.services.has(kind), name
        own = WebApplicationBuilder(ServiceSettings())
        assert any(one.service is kind for one in own.services.registrations) == (added == "every service"), name


def test_the_quoted_start_error_is_what_is_said() -> None:
    class Account(AggregateRoot, stream="account"):
        pass

    class TransferHandler:
        def __init__(self, accounts: Repository[Account]) -> None:
            self.accounts = accounts

    TransferHandler.__init__.__annotations__["accounts"] = Repository[Account]  # local classes have no module
    builder = WebApplicationBuilder(ServiceSettings())
    builder.services.add_scoped(TransferHandler)
    (quoted,) = blocks(FRAMEWORK, "text")

    with pytest.raises(ConfigurationError) as error:
        builder.build()

    assert str(error.value) == quoted.strip()


@pytest.fixture
def operator(issuer: None, tmp_path: Path) -> None:
    """A token lies where `make run` puts it."""
    (tmp_path / "operator.token").write_text(os.environ["TESTS_TOKEN"])


@pytest.mark.integration
@pytest.mark.usefixtures("operator")
def test_the_walk_through_openbanks_page_goes_well_and_the_doctor_finds_nothing(tmp_path: Path) -> None:
    make, ready, *walk, operating = blocks(ROOT / "openbank/README.md", "sh")
    assert make == "make run\n"
    (tmp_path / "data").mkdir()
    (tmp_path / "operator.token").rename(tmp_path / "data/operator.token")
    with serving("openbank", tmp_path / "bank") as server:

        def shown_by(*commands: str) -> str:
            return typed("".join(commands).replace("http://127.0.0.1:8081", server.url), tmp_path)

        answers = [json.loads(line) for line in shown_by(*walk).splitlines() if line]
        deposited, refused, sent, trail, account = answers
        assert json.loads(shown_by(ready))["status"] == "ready"
        assert (deposited["balance_after"], sent["status"]) == ("100.00", "completed")
        assert (refused["status"], refused["type"].rpartition(":")[2]) == (422, "insufficient-funds")
        told = [event["type"].removeprefix("openbank.") for event in trail["items"]]
        assert told == ["account-opened.v1", "money-deposited.v1", "money-withdrawn.v1"]

        def is_credited() -> bool:
            path = f"{server.url}/api/v1/accounts/{account['id']}"
            return bool(httpx.get(path, headers=authorized(), trust_env=False).json()["balance"] == "87.50")

        until(is_credited, "the interest", 30)
        assert "All is well." in shown_by(operating)


@pytest.mark.integration
@pytest.mark.usefixtures("issuer")
def test_the_command_of_the_frameworks_page_tells_a_collector(tmp_path: Path) -> None:
    (command,) = [block for block in blocks(FRAMEWORK, "sh") if "OTEL_" in block]
    listens = f"http://127.0.0.1:{(port := free_port())}"
    here = {**os.environ, "PORT": str(port), "DATA_DIR": str(tmp_path), "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with collecting() as collector, (tmp_path / "output").open("w") as output:
        told = command.replace("http://127.0.0.1:4318", collector.url)
        told = told.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
        typed = subprocess.Popen(
            ["bash", "-c", told], env=here, cwd=tmp_path, stdout=output, stderr=output, start_new_session=True
        )

        def answers() -> bool:
            assert typed.poll() is None, (tmp_path / "output").read_text()
            with suppress(httpx.TransportError):
                return httpx.get(f"{listens}/api/v1/persons", headers=authorized(), trust_env=False).is_success
            return False

        try:
            until(answers, "an answer", 30)
            wanted = ("openbank", "GET /api/v1/persons")
            until(lambda: wanted in {(span.service, span.name) for span in collector.spans}, "its span", 30)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(typed.pid, signal.SIGTERM)  # of bash and what it has started
            typed.wait()


@pytest.mark.integration
@pytest.mark.usefixtures("operator")
def test_the_walk_through_the_gateways_page_goes_well(tmp_path: Path) -> None:
    make, *walk = blocks(GATEWAY, "sh")
    assert make == "make run\n"
    with serving("api_gateway", tmp_path) as server:
        told = "".join(walk).replace("http://127.0.0.1:8083", server.url).replace("data/", f"{tmp_path}/")
        shown = typed(told, tmp_path)
    issued, sent, listed = map(json.loads, lines_of(shown))
    assert issued["caller_id"] == "acme"
    assert (sent["status"], sent["response"]["echo"]) == ("completed", sent["context"])
    assert listed["items"] == [sent]


@pytest.mark.integration
@pytest.mark.usefixtures("operator")
def test_the_walk_through_the_desktops_page_goes_well(tmp_path: Path) -> None:
    make, *walk = blocks(DESKTOP, "sh")
    assert make == "make run\n"
    with serving("desktop_controller", tmp_path, COMMANDS_FILE=str(DESKTOP.with_name("commands.toml"))) as server:
        told = "".join(walk).replace("http://127.0.0.1:8082", server.url).replace("data/", f"{tmp_path}/")
        shown = typed(told, tmp_path)
    catalogue, done, noted, desktop = map(json.loads, lines_of(shown))
    assert done["command"] in [one["name"] for one in catalogue["items"]]
    assert done["finished_at"]
    assert noted == {"status": 202}
    assert desktop["desktop_id"]


def as_told(default: object) -> str | None:
    """How a page shows what a setting is, unless it is told otherwise; None: in words."""
    if isinstance(default, int | float):  # a bool, too
        return json.dumps(default).removesuffix(".0")
    return str(default) or None if isinstance(default, str | Path) else None


@pytest.mark.parametrize("folder", SETTINGS)
def test_a_page_lists_all_that_its_service_can_be_told(folder: str) -> None:
    page = (ROOT / folder / "README.md").read_text()
    known, common = SETTINGS[folder].model_fields, ServiceSettings.model_fields
    told: list[tuple[str, str | None]] = []
    for variables, default in re.findall(r"^\| (`[A-Z0-9_]+`(?:, `[A-Z0-9_]+`)*) \| (.+?) \|", page, re.MULTILINE):
        names = re.findall(r"`(.+?)`", variables.lower())
        plain = re.fullmatch(r"`[^`]+`(, `[^`]+`)*", default)
        told += zip(names, re.findall(r"`(.+?)`", default) if plain else [None] * len(names), strict=True)

    own = known if folder == "framework" else {name: known[name] for name in known.keys() - common.keys()}
    assert sorted(told) == sorted((name, as_told(field.default)) for name, field in own.items())
    for name in (name for name in common if known[name].default != common[name].default):
        assert re.search(rf"`{name.upper()}` is {as_told(known[name].default)}\b", page), name


def test_the_first_page_leads_to_each_table_of_settings() -> None:
    section = (ROOT / "README.md").read_text().partition("\n## Settings\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"\]\((.+?)/README\.md#settings\)", section)) == SETTINGS.keys()
    assert [folder for folder in SETTINGS if "\n## Settings\n" not in (ROOT / folder / "README.md").read_text()] == []


def test_the_gateways_page_lists_every_endpoint_with_who_may_call_it(tmp_path: Path) -> None:
    described = create_gateway(ApiGatewaySettings(data_dir=tmp_path)).openapi()["paths"]
    known = {
        f"{method.upper()} {path.removeprefix('/api/v1')}": set(operation["x-required-scopes"])
        for path, methods in described.items()
        for method, operation in methods.items()
        if path.startswith("/api/v1") and "/operations/" not in path
    }
    table = GATEWAY.read_text().partition("## The API")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[A-Z].+?) \| (.+?) \|", table, re.MULTILINE)
    told = {
        endpoint.partition("?")[0]: {*re.findall(r"`(.+?)`", who)}
        for endpoints, who in rows
        for endpoint in re.findall(r"`(.+?)`", endpoints)
    }
    assert told == known


def test_the_gateways_page_tells_every_state_and_what_may_follow_it() -> None:
    rows = re.findall(r"^\| `([a-z]+)` \| .+ \| (.+?) \|$", GATEWAY.read_text(), re.MULTILINE)
    aside = {PromptStatus.CANCELLED, PromptStatus.FAULTED}  # their own rows say from where one comes to them
    follows: dict[str, set[str]] = {status.value: set() for status in PromptStatus}
    for (status, _), to in LIFE.items():
        if to not in aside:
            follows[status.value].add(to.value)
    assert {status: {*re.findall(r"`([a-z]+)`", after)} for status, after in rows} == follows


@pytest.mark.integration
def test_the_demo_ends_with_zero_and_says_nothing_on_stderr() -> None:
    played = subprocess.run(
        [sys.executable, "-m", "deployment.demo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (played.returncode, played.stderr) == (0, "")
    *_, done, following, its_second_line = played.stdout.splitlines()
    following += its_second_line
    assert re.fullmatch(r"Done: [1-9]\d+ requests, each answered as promised, in [\d.]+ s\.", done)
    assert {*re.findall(r"make ([a-z]+)", following)} == {"run", "up"} <= declared_targets()
    assert {*re.findall(r":(\d+)/api/docs", following)} == {"8081", "8082", "8083"}
    assert all(sample in following for sample in ("OpenBank", "Desktop Controller", "API Gateway"))
    noise = [
        line for line in played.stdout.splitlines() if re.search(r'\b(INFO|WARNING|ERROR|CRITICAL)\b|^\s*\{"', line)
    ]
    assert noise == [], "what servers log is not for those who follow the story"
