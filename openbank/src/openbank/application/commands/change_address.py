"""Taking down a new address."""

from dataclasses import dataclass

from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler
from openbank.domain.models.address import Address
from openbank.domain.models.person import Person
from openbank.integration.models.persons import AddressDto, PersonDto


@dataclass(frozen=True, slots=True)
class ChangeAddress(Command[PersonDto]):
    """Replaces a person's address."""

    person_id: str
    address: AddressDto


class ChangeAddressHandler(CommandHandler[ChangeAddress, PersonDto]):
    def __init__(self, persons: Repository[Person], mapper: Mapper) -> None:
        self.persons = persons
        self.mapper = mapper

    async def handle(self, command: ChangeAddress) -> PersonDto:
        person = await self.persons.get(command.person_id)
        person.move(self.mapper.map(command.address, Address))
        await self.persons.save(person)
        return self.mapper.map(person, PersonDto)
