"""A controller that answers by itself."""

from neuroglia.mvc import ControllerBase, post
from tests.benchmarks.apps.models import Movement, MovementRequest
from tests.benchmarks.apps.serve import serve


class MovementsController(ControllerBase):
    @post(scopes=["movements:write"])
    async def move(self, request: MovementRequest) -> Movement:
        return Movement(id="1", account_id=request.account_id, amount=request.amount, reference=request.reference)


if __name__ == "__main__":
    serve("tests.benchmarks.apps.direct")
