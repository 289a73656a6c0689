"""What the service counts, for Prometheus."""

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from app.api.metrics import exposition

router = APIRouter(include_in_schema=False)

PATH = "/metrics"


@router.get(PATH)
async def metrics(request: Request) -> Response:
    """Answers with the numbers of all workers, in Prometheus' text format."""
    # A proxy that hides the path as it stands is not to be got round by writing it otherwise.
    if request.scope["raw_path"] != PATH.encode():
        raise HTTPException(404)
    state = request.app.state
    counted = exposition.of_all(await state.workers.counted(), await state.freshness.current())
    headers = {"Cache-Control": "no-store"}
    return Response(exposition.text(counted), 200, headers, exposition.MEDIA_TYPE)
