"""Registering a customer."""

from dataclasses import dataclass
from datetime import date

from neuroglia.core import Clock, Ids
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler
from openbank.domain.events.persons import PersonRegistered
from openbank.domain.models.address import Address
from openbank.domain.models.gender import Gender
from openbank.domain.models.person import Person
from openbank.integration.models.persons import AddressDto, PersonDto


@dataclass(frozen=True, slots=True)
class RegisterPerson(Command[PersonDto]):
    """Takes down who somebody is."""

    first_name: str
    last_name: str
    nationality: str
    date_of_birth: date
    gender: Gender | None
    address: AddressDto


class RegisterPersonHandler(CommandHandler[RegisterPerson, PersonDto]):
    def __init__(self, persons: Repository[Person], ids: Ids, clock: Clock, mapper: Mapper) -> None:
        self.persons = persons
        self.ids = ids
        self.clock = clock
        self.mapper = mapper

    async def handle(self, command: RegisterPerson) -> PersonDto:
        details = PersonRegistered(
            first_name=command.first_name,
            last_name=command.last_name,
            nationality=command.nationality,
            date_of_birth=command.date_of_birth,
            gender=command.gender,
            address=self.mapper.map(command.address, Address),
        )
        person = Person.register(self.ids.new(), details, today=self.clock.now().date())
        await self.persons.save(person)
        return self.mapper.map(person, PersonDto)
