"""Settings come from the environment alone, and a bad one stops the start without being shown."""

import json
import socket
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from neuroglia.core.errors import ConfigurationError
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder, run
from neuroglia.testing import running


def test_without_an_environment_everything_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ServiceSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    settings = ServiceSettings()

    assert (settings.host, settings.port, settings.log_level) == ("127.0.0.1", 8080, "INFO")
    assert settings.url(settings.event_store_url) == "sqlite:///data/events.db"
    assert settings.url(settings.document_store_url) == "sqlite:///data/documents.db"


@pytest.mark.parametrize("name", ["PORT", "port", "Port"])
def test_a_variable_has_the_fields_name_in_any_case(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "9")
    monkeypatch.setenv("SOMETHING_ELSE", "is ignored")

    assert ServiceSettings().port == 9


def test_the_data_folder_is_filled_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("EVENT_STORE_URL", "sqlite:///{DATA_DIR}/deep/{other}/e.db")
    settings = ServiceSettings()

    assert settings.url(settings.event_store_url) == f"sqlite:///{tmp_path}/deep/{{other}}/e.db"
    assert settings.url(settings.document_store_url) == f"sqlite:///{tmp_path}/documents.db"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"), ("PORT", "-1"), ("PORT", "65536"), ("PORT", "80.5"), ("PORT", ""), ("LOG_LEVEL", "LOUD"),
        ("LOG_LEVEL", ""), ("MAX_BODY_BYTES", "0"), ("MAX_BODY_BYTES", "1 MB"), ("DATA_DIR", ""),
        ("OAUTH2_ISSUER", "nonsense"), ("OAUTH2_ISSUER", ""), ("OAUTH2_ISSUER", "ftp://x"),
        ("OAUTH2_ISSUER", "http:///realm"), ("OAUTH2_DISCOVERY_URL", "nonsense"),
    ],
)  # fmt: skip
def test_a_bad_value_is_named_but_not_shown(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError) as refusal:
        ServiceSettings()

    assert name.lower() in str(refusal.value)
    assert "input_value" not in str(refusal.value)


def test_given_wrong_settings_when_run_then_each_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "x")
    monkeypatch.setenv("LEASE_SECONDS", "0")

    with pytest.raises(SystemExit) as ended:
        run(lambda _: FastAPI(), ServiceSettings)

    assert str(ended.value).splitlines() == [
        "service cannot start: PORT: Input should be a valid integer, unable to parse string as an integer",
        "LEASE_SECONDS: Input should be greater than 0",
    ]


@pytest.mark.parametrize("port", ["-1", "65536", "99999"])
def test_given_a_class_with_a_port_of_its_own_when_run_with_no_port_then_that_is_told(
    monkeypatch: pytest.MonkeyPatch, port: str
) -> None:
    class OwnSettings(ServiceSettings):
        port: int = 9000

    monkeypatch.setenv("PORT", port)

    with pytest.raises(SystemExit) as ended:
        run(lambda _: FastAPI(), OwnSettings)

    assert ended.value.code == "service cannot start: PORT: it has to be a number from 0 to 65535"


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("host", ["127.0.0.1", "300.1.1.1"])
def test_given_an_address_that_cannot_be_had_when_run_then_its_variables_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HOST", host)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))

        with pytest.raises(SystemExit) as ended:
            run(lambda settings: WebApplicationBuilder(settings).build(), ServiceSettings)

    *_, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert ended.value.code
    assert last["level"] == "ERROR"
    assert last["message"].startswith(f"service cannot start: HOST {host}, PORT {port}: ")


@pytest.mark.usefixtures("restored")
def test_given_a_folder_that_cannot_be_made_when_run_then_it_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "file"))

    def create(settings: ServiceSettings) -> FastAPI:
        builder = WebApplicationBuilder(settings)
        builder.add_mediation("tests.framework.hosting.lamps")
        builder.add_documents("tests.framework.hosting.lamps")
        return builder.build()

    with pytest.raises(SystemExit) as ended:
        run(create, ServiceSettings)

    told = [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if line["level"] == "ERROR"]
    assert ended.value.code == 3
    assert told[0]["message"].startswith(f"service cannot start: the folder of {tmp_path}/file/documents.db cannot be")
    assert "Traceback" not in str(told)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        ServiceSettings().port = 9  # type: ignore[misc]


@pytest.mark.service
@pytest.mark.parametrize("field", ["event_store_url", "document_store_url"])
@pytest.mark.parametrize("url", ["redis://:pin1234@host/0", "host:2113", "", "sqlite:events.db", "sqlite:///"])
async def test_a_store_that_nobody_knows_stops_the_start(tmp_path: Path, field: str, url: str) -> None:
    builder = WebApplicationBuilder(ServiceSettings(data_dir=tmp_path, **{field: url}))  # type: ignore[arg-type]
    lamps = "tests.framework.hosting.lamps"
    builder.add_mediation(lamps)
    builder.add_event_sourcing(lamps, subscriptions=lamps)
    builder.add_documents(lamps)

    with pytest.raises(ConfigurationError, match="sqlite:///") as refusal:
        async with running(builder.build()):
            raise AssertionError

    assert "1234" not in str(refusal.value)
