"""One command, which a controller passes on."""

from dataclasses import dataclass

from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class Greet(Command[str]):
    name: str


class GreetHandler(CommandHandler[Greet, str]):
    async def handle(self, command: Greet) -> str:
        return f"Hello {command.name}"
