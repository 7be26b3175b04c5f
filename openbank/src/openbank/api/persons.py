"""`/persons`."""

from neuroglia.mvc import DEFAULT_LIMIT, ControllerBase, Cursor, Limit, Page, get, post, put
from openbank.api.fields import Country, Date, RequestModel, Text
from openbank.application.commands.change_address import ChangeAddress
from openbank.application.commands.register_person import RegisterPerson
from openbank.application.queries.get_person import GetPerson
from openbank.application.queries.list_persons import ListPersons
from openbank.integration.models.persons import AddressDto, Gender, PersonDto


class AddressRequest(AddressDto):
    """A postal address."""

    model_config = RequestModel.model_config

    street: Text
    number: Text
    postal_code: Text
    city: Text
    state: Text | None = None
    country: Country


class RegisterPersonRequest(RequestModel):
    """Who somebody is."""

    first_name: Text
    last_name: Text
    nationality: Country
    date_of_birth: Date
    gender: Gender | None = None
    address: AddressRequest


class PersonsController(ControllerBase):
    @post(status_code=201, location="/{id}", etag="version", scopes=["bank:write"])
    async def register(self, request: RegisterPersonRequest) -> PersonDto:
        """Registers a person, who can then own accounts."""
        return await self.mediator.execute(
            RegisterPerson(
                first_name=request.first_name,
                last_name=request.last_name,
                nationality=request.nationality,
                date_of_birth=request.date_of_birth,
                gender=request.gender,
                address=request.address,
            )
        )

    @get(scopes=["bank:read"])
    async def list(self, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[PersonDto]:
        """Lists all persons in the order of their registration."""
        return await self.mediator.execute(ListPersons(limit, cursor))

    @get("/{person_id}", etag="version", scopes=["bank:read"])
    async def show(self, person_id: str) -> PersonDto:
        """Shows a person."""
        return await self.mediator.execute(GetPerson(person_id))

    @put("/{person_id}/address", etag="version", scopes=["bank:write"])
    async def move(self, person_id: str, request: AddressRequest) -> PersonDto:
        """Replaces a person's address."""
        return await self.mediator.execute(ChangeAddress(person_id, request))
