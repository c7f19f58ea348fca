"""Rows as JSON."""

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from generation.models import Artwork, Collection, Drop, ParameterSet


class CollectionSerializer(serializers.ModelSerializer[Collection]):
    checkpoint_sha256 = serializers.CharField(source="checkpoint.sha256")

    class Meta:
        model = Collection
        fields = ["slug", "name", "story", "checkpoint_sha256", "created_at"]


class ParameterSetSerializer(serializers.ModelSerializer[ParameterSet]):
    class Meta:
        model = ParameterSet
        fields = ["id", "number", "parent", "source", "reason", "body", "created_at"]


class DropSerializer(serializers.ModelSerializer[Drop]):
    collection = serializers.SlugRelatedField[Collection](slug_field="slug", read_only=True)
    checkpoint_sha256 = serializers.CharField(source="checkpoint.sha256")
    parameter_set = ParameterSetSerializer()

    class Meta:
        model = Drop
        fields = [
            "id",
            "collection",
            "number",
            "state",
            "size",
            "seed",
            "checkpoint_sha256",
            "parameter_set",
            "created_at",
        ]


class ArtworkSerializer(serializers.ModelSerializer[Artwork]):
    image = serializers.SerializerMethodField()

    class Meta:
        model = Artwork
        fields = [
            "id",
            "drop",
            "index",
            "status",
            "token_id",
            "requested",
            "parsed",
            "confidence",
            "item_seed",
            "image_digest",
            "image",
            "rarity_score",
            "rarity_rank",
        ]

    @extend_schema_field(OpenApiTypes.URI_REF)
    def get_image(self, work: Artwork) -> str:
        return reverse("artwork-image", args=[work.image_digest])
