"""What the compose files say, before anything is started. `tests/e2e` starts it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from deployment.environment import SECRETS
from tests.e2e.system import ROOT, SAMPLES, SERVICES, TELEMETRY, files, write_environment
from tests.support import containers
from tests.support.containers import docker_engine
from tests.support.machine import not_here

FILE = ROOT / "docker-compose.yml"
PAGE = ROOT / "README.md"
OVERRIDES = [[], ["stand-ins"], ["dev"], ["stand-ins", "dev"]]
OURS = [*SAMPLES, "viewer", "agent"]
REALM = json.loads((ROOT / "deployment/keycloak/realm.json").read_text())


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `make env` writes it, with free ports."""
    file = tmp_path_factory.mktemp("environment") / ".env"
    write_environment(file)
    return file


def compose(*arguments: str, told: Path | None = None) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "REQUIRE_DOCKER"}}
    asked = ["docker", "compose", "version"]
    if not shutil.which("docker") or subprocess.run(asked, env=clean, capture_output=True, check=False).returncode != 0:
        not_here("docker compose is not installed", "REQUIRE_DOCKER")
    secrets = ["--env-file", str(told or "/dev/null")]
    return subprocess.run(
        ["docker", "compose", *secrets, *arguments], env=clean, cwd=ROOT, capture_output=True, text=True, check=False
    )


def named(*overrides: str) -> list[str]:
    return [part for file in files(*overrides) for part in ("--file", str(file))]


@pytest.fixture(scope="module")
def services(environment: Path) -> Mapping[str, Any]:
    """All of them, as compose understands them."""
    shown = compose(*named(), "--profile", "telemetry", "config", "--format", "json", told=environment)
    assert shown.returncode == 0, shown.stderr
    found: dict[str, Any] = json.loads(shown.stdout)["services"]
    return found


@pytest.mark.parametrize(("overrides", "profile"), [*product(OVERRIDES, [None, "telemetry"])])
def test_every_profile_is_valid_with_every_override(
    environment: Path, overrides: list[str], profile: str | None
) -> None:
    profiles = [] if profile is None else ["--profile", profile]

    checked = compose(*named(*overrides), *profiles, "config", "--quiet", told=environment)

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_without_secrets_nothing_starts_and_it_is_said_what_to_type() -> None:
    refused = compose(*named(), "config", "--quiet")

    assert refused.returncode != 0
    assert 'Type "make env" first.' in refused.stderr


def test_without_secrets_what_runs_is_shown_and_ended_all_the_same(tmp_path: Path) -> None:
    nothing = {**os.environ, "COMPOSE_PROJECT_NAME": "neuroglia-that-does-not-run"}
    with docker_engine():
        for target in ("logs", "down"):
            command = ["make", target, f"ENV_FILE={tmp_path / 'none'}"]
            done = subprocess.run(command, cwd=ROOT, env=nothing, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


def test_its_services_are_those_that_the_tests_know(services: Mapping[str, Any]) -> None:
    assert services.keys() == SERVICES.keys() | {"telemetry"}
    assert [name for name, service in services.items() if service.get("profiles")] == ["telemetry"]


def test_two_lines_of_the_page_start_telemetry_and_have_the_samples_send_it(tmp_path: Path) -> None:
    said = re.findall(r"^(COMPOSE_PROFILES|OTEL_EXPORTER_OTLP_ENDPOINT)=(\S+)$", PAGE.read_text(), re.MULTILINE)
    write_environment(tmp_path / ".env", **dict(said))

    shown = compose(*named(), "config", "--format", "json", told=tmp_path / ".env")

    found = json.loads(shown.stdout)["services"]
    assert dict(said) == TELEMETRY
    assert "telemetry" in found
    sent = {name: found[name]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] for name in SAMPLES}
    assert sent == dict.fromkeys(SAMPLES, "http://telemetry:4318")


def test_every_service_is_bounded_watched_and_waited_for(services: Mapping[str, Any]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}, name
        assert {one["condition"] for one in service.get("depends_on", {}).values()} <= {"service_healthy"}, name
        assert {port["host_ip"] for port in service.get("ports", ())} <= {"127.0.0.1"}, name
        assert "privileged" not in service, name
        assert all(mount["type"] in {"volume", "bind"} for mount in service.get("volumes", ())), name
        assert all(mount.get("read_only") for mount in service.get("volumes", ()) if mount["type"] == "bind"), name
    for name in OURS:
        assert services[name]["read_only"] is True, name
        assert services[name]["init"] is True, name


def test_who_needs_somebody_waits_for_them(services: Mapping[str, Any]) -> None:
    needs = {name: {*services[name]["depends_on"]} for name in SAMPLES}

    assert needs["openbank"] == needs["desktop-controller"] == {"eventstore", "mongo", "keycloak", "viewer"}
    assert needs["api-gateway"] == {"mongo", "keycloak", "viewer", "agent"}


def test_only_those_reach_the_stores_that_have_to(services: Mapping[str, Any]) -> None:
    reach = {name for name, service in services.items() if "stores" in service["networks"]}

    assert reach == {*SAMPLES, "eventstore", "mongo"}
    assert "ports" not in services["mongo"]


def test_mongodb_is_started_as_the_pages_advise(services: Mapping[str, Any]) -> None:
    pages = "".join((ROOT / page).read_text() for page in ("README.md", "framework/README.md"))
    advised = {*re.findall(r"--setParameter (transactionLifetimeLimitSeconds=\d+)", pages)}

    assert services["mongo"]["command"][-2:] == ["--setParameter", *advised]


def test_images_of_others_are_pinned_and_the_ones_that_are_tested(services: Mapping[str, Any]) -> None:
    images = {name: service["image"] for name, service in services.items() if "build" not in service}

    assert images.pop("telemetry").partition(":")[2] not in {"", "latest"}
    assert images == {
        "eventstore": containers.DEFAULT_EVENTSTOREDB, "mongo": containers.DEFAULT_MONGO,
        "keycloak": containers.DEFAULT_KEYCLOAK,
    }  # fmt: skip


@pytest.mark.parametrize("overrides", OVERRIDES)
def test_what_we_build_is_built_whenever_it_starts_and_asked_of_no_registry(
    environment: Path, overrides: list[str]
) -> None:
    shown = compose(*named(*overrides), "--profile", "telemetry", "config", "--format", "json", told=environment)
    found = json.loads(shown.stdout)["services"]
    named_by_us = {name for name, service in found.items() if service["image"].startswith("neuroglia")}

    assert named_by_us >= {*OURS}
    assert {name for name, service in found.items() if "build" in service} == named_by_us
    assert {found[name].get("pull_policy") for name in named_by_us} == {"build"}


def test_a_token_names_the_issuer_as_browsers_see_it_and_services_find_it_inside(
    services: Mapping[str, Any], environment: Path
) -> None:
    (port,) = re.findall(r"^KEYCLOAK_PORT=(\d+)$", environment.read_text(), re.MULTILINE)

    assert services["keycloak"]["environment"]["KC_HOSTNAME"] == f"http://127.0.0.1:{port}"
    for name in SAMPLES:
        told = services[name]["environment"]
        assert told["OAUTH2_ISSUER"] == f"http://127.0.0.1:{port}/realms/{REALM['realm']}"
        assert told["OAUTH2_DISCOVERY_URL"].startswith(f"http://keycloak:8080/realms/{REALM['realm']}/")


def test_the_ports_are_those_of_the_documentation_and_of_the_realm() -> None:
    usual = dict(re.findall(r"127\.0\.0\.1:\$\{([A-Z]+)_PORT:-(\d+)\}:", FILE.read_text()))

    assert usual == {
        "OPENBANK": "8081", "DESKTOP": "8082", "GATEWAY": "8083", "VIEWER": "8084", "AGENT": "8091",
        "KEYCLOAK": "8090", "EVENTSTORE": "2113", "GRAFANA": "3000",
    }  # fmt: skip
    pages = {uri for client in REALM["clients"] for uri in client["redirectUris"]}
    samples = [usual[name] for name in ("OPENBANK", "DESKTOP", "GATEWAY")]
    assert pages == {f"http://127.0.0.1:{port}/api/docs/oauth2-redirect" for port in samples}


def test_every_secret_comes_from_the_environment_and_every_one_is_made() -> None:
    text = FILE.read_text()

    assert {*re.findall(r"\$\{([A-Z_]+):\?", text)} == {*SECRETS}
    said = re.findall(r"^ +\w*(?:SECRET|PASSWORD|TOKEN)\w*: *(.+)$", text, re.MULTILINE)
    assert said
    assert all(value.startswith("${") for value in said)
    placeholders = {*re.findall(r"\$\{([A-Z_]+)\}", json.dumps(REALM))}
    assert placeholders - {"ADA_PERSON_ID"} <= {*SECRETS}


def test_a_debugger_is_in_no_image_but_those_of_developers(environment: Path) -> None:
    shown = compose(*named("dev"), "config", "--format", "json", told=environment)
    developed = json.loads(shown.stdout)["services"]
    for name in SAMPLES:
        text = (ROOT / name / "Dockerfile").read_text()
        stages = re.findall(r"^FROM \S+(?: AS (\S+))?$", text, re.MULTILINE)
        (development,) = [part for part in text.split("\nFROM ") if "debugpy" in part]
        assert developed[name]["build"]["target"] == "development"
        assert {port["host_ip"] for port in developed[name]["ports"]} == {"127.0.0.1"}
        assert stages[-1] == ""
        assert " AS development" in development
        assert "debug" not in text.rpartition("\nFROM ")[2]


def test_stages_that_all_images_share_are_the_same_in_all() -> None:
    recipes = [*(ROOT / name / "Dockerfile" for name in SAMPLES), ROOT / "deployment/Dockerfile"]
    stages = [recipe.read_text().partition(" AS wheels\n")[2].partition("\n\n")[0] for recipe in recipes]
    stand_ins = (ROOT / "tests/support/containers/images/Dockerfile").read_text()

    assert len({*stages}) == 1
    assert stages[0].partition("COPY framework")[0] in stand_ins


def test_git_does_not_see_the_file_with_the_secrets() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone of the repository")
    shown = subprocess.run(["git", "check-ignore", ".env"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert shown.stdout == ".env\n"
