"""Collections, drops and works, to read."""

import logging
import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import get_conditional_response
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page, require_safe
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.exceptions import ValidationError

from generation.imaging import solids, thumbnails
from generation.imaging.bucket import BucketError
from generation.imaging.codec import ImageRefusedError
from generation.models import Artwork, Collection, Drop
from generation.models.drops import image_path
from generation.serializers import ArtworkSerializer, CollectionSerializer, DropSerializer

IMMUTABLE = "public, max-age=31536000, immutable"
logger = logging.getLogger(__name__)
DIGEST = re.compile(r"[0-9a-f]{64}")


# Lists and rows change, so they are asked for again, and answered with 304 while they are the same.
revalidated = method_decorator(conditional_page, name="dispatch")


@revalidated
class CollectionViewSet(viewsets.ReadOnlyModelViewSet[Collection]):
    queryset = Collection.objects.select_related("checkpoint").order_by("pk")
    serializer_class = CollectionSerializer
    lookup_field = "slug"


@revalidated
class DropViewSet(viewsets.ReadOnlyModelViewSet[Drop]):
    queryset = Drop.objects.select_related("collection", "checkpoint", "parameter_set").order_by(
        "pk"
    )
    serializer_class = DropSerializer


@revalidated
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


def or_later(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Ask the visitor to come again while the store of pictures is away."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(*args, **kwargs)
        except BucketError as error:
            logger.warning("%s", error)
            return HttpResponse(status=503, headers={"Retry-After": "5"})

    return answer


@require_safe
@or_later
def artwork_image(request: HttpRequest, digest: str) -> HttpResponse:
    """The stored bytes of a picture, which its address can never change."""
    return _for_ever(request, digest, _stored(digest), "image/png")


@require_safe
@or_later
def artwork_thumbnail(request: HttpRequest, digest: str, side_px: int) -> HttpResponse:
    """A copy of a picture in another size, made when it is first asked for."""
    if side_px not in thumbnails.SIDES_PX:
        raise Http404("no such size")
    return _copy(request, digest, side_px, ".webp")


@require_safe
def artwork_presentation(request: HttpRequest, digest: str) -> HttpResponse:
    """A picture as a large PNG, to show and to print."""
    return _copy(request, digest, thumbnails.PRESENTATION_PX, ".png")


def _copy(request: HttpRequest, digest: str, side_px: int, suffix: str) -> HttpResponse:
    folder = Path(settings.MEDIA_ROOT) / "thumbnails"
    try:
        path = thumbnails.stored(_stored(digest), folder, side_px, suffix)
    except ImageRefusedError as error:
        raise Http404("the stored picture is damaged") from error
    return _for_ever(request, path.name, path, f"image/{suffix[1:]}")


@require_safe
@or_later
def artwork_solid(request: HttpRequest, digest: str, shape: str) -> HttpResponse:
    """A picture as a thing in three dimensions, made when it is first asked for."""
    if shape not in solids.SHAPES:
        raise Http404("no such shape")
    try:
        path = solids.stored(_stored(digest), Path(settings.MEDIA_ROOT) / "solids", shape)
    except ImageRefusedError as error:
        raise Http404("the stored picture is damaged") from error
    return _for_ever(request, path.name, path, "model/gltf-binary")


def _for_ever(request: HttpRequest, name: str, path: Path, content_type: str) -> HttpResponse:
    headers = {"Cache-Control": IMMUTABLE, "ETag": f'"{name}"'}
    if get_conditional_response(request, etag=headers["ETag"]) is not None:
        return HttpResponseNotModified(headers=headers)
    return HttpResponse(path.read_bytes(), content_type=content_type, headers=headers)


def _stored(digest: str) -> Path:
    if not DIGEST.fullmatch(digest):
        raise Http404("no such picture")
    try:
        path = image_path(digest)
    except ImageRefusedError as error:
        raise Http404("the stored picture is damaged") from error
    if not path.is_file():
        raise Http404("no such picture")
    return path
