"""Collections, drops and works, to read."""

import re
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.exceptions import ValidationError

from generation.models import Artwork, Collection, Drop
from generation.serializers import ArtworkSerializer, CollectionSerializer, DropSerializer

IMMUTABLE = "public, max-age=31536000, immutable"
DIGEST = re.compile(r"[0-9a-f]{64}")


class CollectionViewSet(viewsets.ReadOnlyModelViewSet[Collection]):
    queryset = Collection.objects.select_related("checkpoint").order_by("pk")
    serializer_class = CollectionSerializer
    lookup_field = "slug"


class DropViewSet(viewsets.ReadOnlyModelViewSet[Drop]):
    queryset = Drop.objects.select_related("collection", "checkpoint", "parameter_set").order_by(
        "pk"
    )
    serializer_class = DropSerializer


@extend_schema(parameters=[OpenApiParameter("drop", int, description="works of this drop only")])
class ArtworkViewSet(viewsets.ReadOnlyModelViewSet[Artwork]):
    """Works that visitors may see; rejected ones and duplicates are not among them."""

    queryset = Artwork.objects.shown().order_by("drop_id", "index", "pk")
    serializer_class = ArtworkSerializer

    def get_queryset(self) -> QuerySet[Artwork]:
        queryset = super().get_queryset()
        wanted = self.request.query_params.get("drop")
        if wanted is None:
            return queryset
        if not wanted.isdecimal() or len(wanted) > 18:
            raise ValidationError({"drop": "a drop is named by its number in this database"})
        return queryset.filter(drop_id=int(wanted))


@require_safe
def artwork_image(request: HttpRequest, digest: str) -> HttpResponseBase:
    """The stored bytes of a picture, which its address can never change."""
    path = Path(settings.MEDIA_ROOT) / "images" / digest[:2] / f"{digest}.png"
    if not DIGEST.fullmatch(digest) or not path.is_file():
        raise Http404("no such picture")
    headers = {"Cache-Control": IMMUTABLE, "ETag": f'"{digest}"'}
    return FileResponse(path.open("rb"), content_type="image/png", headers=headers)
