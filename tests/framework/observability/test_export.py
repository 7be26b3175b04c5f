"""Where telemetry goes, by the variables that OpenTelemetry defines."""

import pytest

from neuroglia.core import ConfigurationError
from neuroglia.observability.export import connect


def test_a_protocol_that_is_not_spoken_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")

    with pytest.raises(ConfigurationError, match=r"OTEL_EXPORTER_OTLP_PROTOCOL: grpc is not spoken here"):
        connect("parcels", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, {"service.name": "parcels"}),
        (
            {"OTEL_SERVICE_NAME": "renamed", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"},
            {"service.name": "renamed", "deployment.environment.name": "test"},
        ),
    ],
)
def test_each_process_says_who_it_is(
    variables: dict[str, str], told: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    one, other = (connect("parcels", "http://127.0.0.1:9").tracers.resource.attributes for _ in range(2))

    assert told.items() <= one.items()
    assert one["service.instance.id"] != other["service.instance.id"]
