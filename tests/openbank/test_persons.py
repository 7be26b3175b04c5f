"""Persons, from the aggregate to HTTP."""

from datetime import date

import pytest

from neuroglia.core import SystemIds
from neuroglia.testing import RunningService, given
from openbank.domain import errors
from openbank.domain.events.persons import PersonAddressChanged, PersonRegistered
from openbank.domain.models.address import Address
from openbank.domain.models.gender import Gender
from openbank.domain.models.person import Person
from tests.openbank.builders import ADDRESS, ADDRESS_BODY, PERSON_BODY, all_pages, head, registered

PERSONS = "/api/v1/persons"
on_shared_bank = pytest.mark.asyncio(loop_scope="module")
TODAY = date(2025, 1, 31)
ELSEWHERE = Address(street="Rue Cler", number="2", postal_code="75007", city="Paris", country="FR")
ELSEWHERE_BODY = {"street": "Rue Cler", "number": "2", "postal_code": "75007", "city": "Paris", "country": "FR"}


def born(day: date) -> PersonRegistered:
    return PersonRegistered(
        first_name="A", last_name="B", nationality="DE", date_of_birth=day, gender=None, address=ADDRESS
    )


@pytest.mark.parametrize("day", [date(2025, 1, 30), date(2000, 2, 29), date(1895, 1, 1)])
def test_when_registering_somebody_alive_then_it_is_recorded(day: date) -> None:
    given(Person).when(lambda _: Person.register("1", born(day), today=TODAY)).then(born(day))


@pytest.mark.parametrize("day", [date(2025, 2, 1), date(9999, 12, 31), date(1894, 12, 31), date(1, 1, 1)])
def test_when_registering_somebody_not_born_or_too_old_then_it_is_refused(day: date) -> None:
    outcome = given(Person).when(lambda _: Person.register("1", born(day), today=TODAY))

    outcome.then_refused(errors.InvalidDateOfBirth)


def test_when_moving_then_the_new_address_is_recorded() -> None:
    outcome = given(Person, registered()).when(lambda person: person.move(ELSEWHERE))

    outcome.then(PersonAddressChanged(address=ELSEWHERE))


def test_when_moving_to_where_one_lives_then_nothing_is_recorded() -> None:
    given(Person, registered()).when(lambda person: person.move(ADDRESS)).then()


@on_shared_bank
async def test_when_registering_then_the_person_is_told_recorded_and_found(shared_bank: RunningService) -> None:
    answer = await shared_bank.when("POST", PERSONS, json={**PERSON_BODY, "gender": "female"})

    answer.then(
        201,
        {**PERSON_BODY, "gender": "female", "version": 0},
        events=[
            PersonRegistered(
                first_name="Ada",
                last_name="Lovelace",
                nationality="GB",
                date_of_birth=date(1990, 12, 10),
                gender=Gender.FEMALE,
                address=ADDRESS,
            )
        ],
    )
    assert set(answer.body) == {*PERSON_BODY, "id", "registered_at", "version"}
    assert answer.body["registered_at"].endswith("Z")
    assert answer.response.headers["location"] == f"{PERSONS}/{answer.body['id']}"
    assert answer.response.headers["x-event-position"] == str(await head(shared_bank))
    (await shared_bank.when("GET", answer.response.headers["location"])).then(200, answer.body, events=[])


@on_shared_bank
async def test_when_registering_with_spaces_around_then_they_are_cut_off(shared_bank: RunningService) -> None:
    answer = await shared_bank.when(
        "POST", PERSONS, json={**PERSON_BODY, "first_name": "  Ada \t", "last_name": "O'Néill 🦊"}
    )

    answer.then(201, {"first_name": "Ada", "last_name": "O'Néill 🦊"})


@on_shared_bank
async def test_when_registering_without_what_is_optional_then_it_is_null(shared_bank: RunningService) -> None:
    body = {**PERSON_BODY, "address": {**ADDRESS_BODY}}
    del body["gender"], body["address"]["state"]

    answer = await shared_bank.when("POST", PERSONS, json=body)

    answer.then(201, {"gender": None, "address": ADDRESS_BODY})


@on_shared_bank
async def test_when_moving_over_http_then_the_person_is_told_recorded_and_found(shared_bank: RunningService) -> None:
    await shared_bank.given(Person, person := SystemIds().new(), registered())

    answer = await shared_bank.when("PUT", f"{PERSONS}/{person}/address", json=ELSEWHERE_BODY)

    answer.then(
        200,
        {"id": person, "address": {**ELSEWHERE_BODY, "state": None}, "version": 1},
        events=[PersonAddressChanged(address=ELSEWHERE)],
    )
    assert answer.response.headers["x-event-position"] == str(await head(shared_bank))
    (await shared_bank.when("GET", f"{PERSONS}/{person}")).then(200, answer.body)


@on_shared_bank
async def test_when_moving_to_where_one_lives_over_http_then_nothing_is_recorded(shared_bank: RunningService) -> None:
    await shared_bank.given(Person, person := SystemIds().new(), registered())

    answer = await shared_bank.when("PUT", f"{PERSONS}/{person}/address", json=ADDRESS_BODY)

    answer.then(200, {"id": person, "address": ADDRESS_BODY, "version": 0}, events=[])


async def test_given_nobody_when_asking_then_it_is_404(bank: RunningService) -> None:
    (await bank.when("GET", f"{PERSONS}/nobody")).then_refused(404, "not-found")
    (await bank.when("PUT", f"{PERSONS}/nobody/address", json=ADDRESS_BODY)).then_refused(404, "not-found")
    (await bank.when("GET", PERSONS)).then(200, {"items": [], "next_cursor": None})


async def test_given_several_when_listing_then_the_pages_lead_to_the_end_in_the_order_of_registration(
    bank: RunningService,
) -> None:
    ids = ["e", "a", "d", "b", "c"]
    for id_ in ids:
        await bank.given(Person, id_, registered(first_name=id_.upper()))

    for limit, sizes in ((2, [2, 2, 1]), (5, [5]), (1, [1] * 5), (200, [5])):
        pages = await all_pages(bank, PERSONS, limit=limit)

        assert [len(page) for page in pages] == sizes
        assert [person["id"] for page in pages for person in page] == ids


async def test_given_more_than_fifty_when_listing_without_a_limit_then_a_page_has_fifty(bank: RunningService) -> None:
    for number in range(51):
        await bank.given(Person, str(number), registered())

    assert [len(page) for page in await all_pages(bank, PERSONS)] == [50, 1]
