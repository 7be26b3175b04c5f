"""What the jobs of a prompt are told."""

from dataclasses import dataclass

from api_gateway.domain.models.prompt import Prompt


@dataclass(frozen=True, slots=True)
class PromptJob:
    """Which prompt, and at which version of it the job was enqueued."""

    prompt_id: str
    version: int

    @staticmethod
    def of(prompt: Prompt) -> "PromptJob":
        """For a prompt as it is now."""
        return PromptJob(prompt.id, prompt.version)

    @property
    def key(self) -> str:
        """A change of a prompt asks for one job of a task, however often it is enqueued."""
        return f"{self.prompt_id}:{self.version}"
