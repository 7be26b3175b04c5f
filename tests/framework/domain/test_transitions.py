"""State machines as tables."""

from enum import Enum, auto

import pytest

from neuroglia.domain import transitions


class Lamp(Enum):
    OFF = auto()
    ON = auto()
    BROKEN = auto()


def test_each_row_names_where_from_by_what_and_where_to() -> None:
    life = transitions(([Lamp.OFF], "press", Lamp.ON), ([Lamp.ON], "press", Lamp.OFF), ([*Lamp], "drop", Lamp.BROKEN))

    assert life[Lamp.OFF, "press"] is Lamp.ON
    assert life[Lamp.ON, "press"] is Lamp.OFF
    assert {life[state, "drop"] for state in Lamp} == {Lamp.BROKEN}
    assert (Lamp.BROKEN, "press") not in life
    assert len(life) == 5


def test_an_action_that_leads_to_two_states_is_refused() -> None:
    with pytest.raises(ValueError, match="one action leads from one state to two"):
        transitions(([*Lamp], "press", Lamp.ON), ([Lamp.ON], "press", Lamp.OFF))
    with pytest.raises(ValueError, match="one action"):
        transitions(([Lamp.ON, Lamp.ON], "press", Lamp.OFF))


def test_a_table_without_rows_lets_nothing_happen() -> None:
    assert transitions() == {}
