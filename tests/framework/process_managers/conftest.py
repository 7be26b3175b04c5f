"""What failed is tried again soon, and what is done is noted soon."""

from tests.framework.event_sourcing.conftest import no_long_pauses as no_long_pauses
