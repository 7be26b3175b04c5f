"""From a URL to the GenAI service. The scheme decides."""

from typing import Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from api_gateway.integration.clients.agent import AgentGenAi
from api_gateway.integration.clients.echo import EchoGenAi
from api_gateway.integration.clients.genai_http import GenAiHttp
from api_gateway.integration.clients.openai import OpenAiGenAi
from neuroglia.core import Clock, ConfigurationError

_TIMEOUT_S: Final = 60.0
_WAYS: Final = "use echo://, agent+http://host, or openai+https://host/v1?model=name (&stream=true)"


def connect_genai(
    url: str, clock: Clock, *, api_key: str | None = None, timeout_s: float = _TIMEOUT_S
) -> EchoGenAi | AgentGenAi | OpenAiGenAi:
    """The GenAI service of a URL. Nothing is connected yet.

    Raises:
        ConfigurationError: no service has this scheme, or the URL does not say what it needs.
    """
    parts = urlsplit(url)
    kind, _, scheme = parts.scheme.partition("+")
    told = dict(parse_qsl(parts.query, keep_blank_values=True))
    if url == "echo://":
        return EchoGenAi()
    if kind not in {"agent", "openai"} or scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(f"GENAI_URL: no GenAI service is known for '{parts.scheme}://'; {_WAYS}")
    if parts.username is not None or parts.fragment:
        raise ConfigurationError(f"GENAI_URL: a key belongs into GENAI_API_KEY; {_WAYS}")
    if unknown := told.keys() - ({"model", "stream"} if kind == "openai" else set[str]()):
        raise ConfigurationError(f"GENAI_URL: nothing is known about {', '.join(sorted(unknown))}; {_WAYS}")
    base = urlunsplit((scheme, parts.netloc, parts.path, "", ""))
    http = GenAiHttp(api_key=api_key, clock=clock, timeout_s=timeout_s)
    if kind == "agent":
        return AgentGenAi(base, http)
    if not told.get("model") or told.get("stream", "false") not in {"true", "false"}:
        raise ConfigurationError(f"GENAI_URL: it needs a model, and stream is true or false; {_WAYS}")
    return OpenAiGenAi(base, http, model=told["model"], stream=told.get("stream") == "true")
