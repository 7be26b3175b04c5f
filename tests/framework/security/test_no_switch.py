"""No setting turns the checks off: not one that is there, and none that other systems have."""

import pytest
from joserfc.jwk import ECKey

from api_gateway.settings import ApiGatewaySettings
from desktop_controller.settings import DesktopControllerSettings
from neuroglia.hosting import ServiceSettings
from openbank.settings import OpenBankSettings
from tests.framework.security.conftest import application, client_of
from tests.framework.security.issuers import Issuer, new_key

SETTINGS = [ServiceSettings, OpenBankSettings, DesktopControllerSettings, ApiGatewaySettings]
SWITCHES = {"outgoing_allow_http"}
"""What they switch has to do with where the gateway calls, never with who may ask it."""
OF_OTHERS = [
    "AUTH_DISABLED", "AUTH_ENABLED", "DISABLE_AUTH", "OAUTH2_ENABLED", "OAUTH2_DISABLED", "OAUTH2_VERIFY",
    "VERIFY_SIGNATURE", "INSECURE", "DEBUG", "DEV", "DEVELOPMENT", "LOCAL_DEV", "TESTING", "ENV", "ENVIRONMENT",
    "SKIP_AUTH", "NO_AUTH",
]  # fmt: skip


@pytest.mark.parametrize("settings", SETTINGS)
def test_no_setting_is_a_switch(settings: type[ServiceSettings]) -> None:
    assert {name for name, field in settings.model_fields.items() if field.annotation is bool} <= SWITCHES
    security = {name for name in settings.model_fields if "oauth" in name or "auth" in name or "verify" in name}
    assert security == {"oauth2_issuer", "oauth2_audience", "oauth2_discovery_url"}


@pytest.mark.parametrize("value", ["1", "0", "true", "false", "development", "local", ""])
async def test_whatever_the_environment_says_nobody_gets_in_unchecked(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    for name in OF_OTHERS:
        monkeypatch.setenv(name, value)
    other = new_key("first")
    assert isinstance(other, ECKey)

    async with client_of(application(issuer).build()) as http:
        assert (await http.get("/who")).status_code == 401
        for token in (issuer.token(key=other), issuer.token(aud="other"), issuer.token(iss="x"), "x"):
            answer = await http.get("/who", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401


@pytest.mark.parametrize("settings", [{"oauth2_issuer": ""}, {"oauth2_audience": ""}, {"oauth2_discovery_url": ""}])
async def test_an_empty_setting_lets_nobody_in_who_would_not_be_let_in_without(
    issuer: Issuer, settings: dict[str, str]
) -> None:
    builder = application(issuer)
    builder.settings = builder.settings.model_copy(update=settings)
    async with client_of(builder.build()) as http:
        assert (await http.get("/who")).status_code == 401
        for claims in ({"iss": ""}, {"iss": None}, {"aud": ""}, {"aud": None}, {"aud": [""]}):
            answer = await http.get("/who", headers={"Authorization": f"Bearer {issuer.token(**claims)}"})
            assert answer.status_code in {401, 503}, claims
