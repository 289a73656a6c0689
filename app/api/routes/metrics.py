"""What the service counts, for Prometheus."""

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from app.api.metrics import exposition
from app.db.engine import Database
from app.domain.errors import UnavailableError
from app.queries.clock import SECONDS_AHEAD

router = APIRouter(include_in_schema=False)

PATH = "/metrics"


@router.get(PATH)
async def metrics(request: Request) -> Response:
    """Answers with the numbers of all workers, in Prometheus' text format."""
    # A proxy that hides the path as it stands is not to be got round by writing it otherwise.
    if request.scope["raw_path"] != PATH.encode():
        raise HTTPException(404)
    state = request.app.state
    counted = exposition.of_all(
        await state.workers.counted(),
        await state.freshness.current(),
        await _seconds_ahead(state.database),
    )
    headers = {"Cache-Control": "no-store"}
    return Response(exposition.text(counted), 200, headers, exposition.MEDIA_TYPE)


async def _seconds_ahead(database: Database) -> float | None:
    try:
        ahead: float = await database.glance(SECONDS_AHEAD)
    except UnavailableError:
        return None
    return ahead
