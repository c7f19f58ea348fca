"""Works as the parameters before a proposal draw them, and those after it: of the same seeds."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from rest_framework.request import Request

from gallery.views.proposed import ROW, ROWS, SIDES, parameters_of
from gallery.views.refine import Preview, UndrawableError, drawn
from generation.services import steps_of
from generation.traits.preview_spec import PreviewSpec
from sentiment.models import Proposal


class ProposalSheet(Preview):
    """Works of a few seeds in a row, drawn with the parameters before or after a proposal."""

    def get(self, request: Request, pk: int, side: str = "") -> HttpResponse:
        if side not in SIDES:
            raise Http404("before or after")
        proposals = Proposal.objects.select_related("drop__checkpoint")
        proposal = get_object_or_404(proposals, pk=pk)
        row, told = request.query_params.get("row", "0"), parameters_of(proposal, side)
        if row not in map(str, range(ROWS)):
            raise UndrawableError(f"row is 0 to {ROWS - 1}")
        checkpoint = proposal.drop.checkpoint
        try:
            spec = PreviewSpec(
                seed=1 + int(row) * ROW,
                n_works=ROW,
                shares=told.distributions,
                truncation_psi=told.truncation_psi,
                strengths=told.directions or {},
            )
            steps_of(checkpoint, spec.directions)
        except ValueError as error:
            raise UndrawableError(str(error)) from error
        response = HttpResponse(drawn(checkpoint, spec), content_type="image/png")
        response["Cache-Control"] = "private, max-age=86400"
        return response
