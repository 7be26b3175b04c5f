"""The agent as a process of its own."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from deployment.issuer.process import RunningIssuer
from deployment.processes import START_S, serving

_ROOT = Path(__file__).parents[2]


class RunningAgent:
    """Where it is, and what it has taken."""

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def genai_url(self) -> str:
        """What the gateway is told as `GENAI_URL`."""
        return f"agent+{self.url}"

    def taken(self) -> dict[str, Any]:
        """Each submission by its idempotency key: how often it came, and how the gateway took the answers to it."""
        return dict(httpx.get(f"{self.url}/submissions", trust_env=False).raise_for_status().json())


@contextmanager
def acting(
    folder: Path, gateway_url: str, issuer: RunningIssuer, *, client: str = "agent", port: int | None = None
) -> Generator[RunningAgent]:
    """Runs an agent until the end of the block. `client` is one of the issuer's, with the scope `prompts:respond`."""
    told = {
        "GATEWAY_URL": gateway_url,
        "OAUTH2_ISSUER": issuer.url,
        "AGENT_CLIENT": client,
        "AGENT_SECRET": issuer.secret_of(client),
        "PYTHONPATH": str(_ROOT),
    }
    with serving("deployment.agent", folder, port=port, within=START_S, **told) as process:
        yield RunningAgent(process.url)
