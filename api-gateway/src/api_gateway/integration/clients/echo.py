"""A GenAI service that is always there, for demo and tests: it says what it was asked."""

from api_gateway.integration.ports import Reply, Submission


class EchoGenAi:
    """Deterministic: the same prompt gets the same answer."""

    answers_later = False

    async def submit(self, prompt: Submission, *, key: str) -> Reply | None:  # noqa: ARG002 - it has no memory
        data = None if prompt.data_object is None else prompt.data_object.sha256
        return Reply({"kind": prompt.kind, "echo": dict(prompt.context), "data_sha256": data})

    async def probe(self) -> None:
        """It is always there."""
