"""What the API of sentiment takes and gives."""

from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from generation.models import Artwork
from generation.serializers import ParameterSetSerializer
from generation.traits.parameters import Parameters, ParametersError
from minting.chain.siwe import MAX_MESSAGE_BYTES
from sentiment.models import Comment, Proposal, Round, Vote

MAX_ID = 2**63 - 1


class StrictSerializer(serializers.Serializer[Any]):
    """A body in which a field that nobody asked for is an error, not ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = sorted(set(map(str, data)) - set(self.fields))
            if unknown:
                raise serializers.ValidationError(
                    {name: ["No such field."] for name in unknown}, code="unknown_field"
                )
        return super().to_internal_value(data)


class ProblemSerializer(serializers.Serializer[Any]):
    """An RFC 9457 problem; ``code`` is stable."""

    type = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = serializers.DictField(required=False)  # type: ignore[assignment]  # named by the RFC


class NonceSerializer(serializers.Serializer[Any]):
    """What a sign-in message must say; the nonce is good once."""

    nonce = serializers.CharField()
    domain = serializers.CharField()
    uri = serializers.CharField()
    chain_id = serializers.IntegerField()
    expires_at = serializers.DateTimeField()


class VerifySerializer(StrictSerializer):
    message = serializers.CharField(
        trim_whitespace=False,
        help_text=f"EIP-4361, at most {MAX_MESSAGE_BYTES} bytes, with the nonce given out before.",
    )
    signature = serializers.CharField(
        trim_whitespace=False, max_length=200, help_text="EIP-191, 65 bytes in hex, with 0x."
    )


class MeSerializer(serializers.Serializer[Any]):
    signed_in = serializers.BooleanField()
    address = serializers.CharField(allow_null=True, help_text="of the wallet, where there is one")
    is_staff = serializers.BooleanField()
    is_simulated = serializers.BooleanField(help_text="a voter that the installation runs itself")


class RoundSerializer(serializers.ModelSerializer[Round]):
    collection = serializers.SlugField(source="drop.collection.slug")
    drop_number = serializers.IntegerField(source="drop.number")

    class Meta:
        model = Round
        fields = [
            "id",
            "collection",
            "drop",
            "drop_number",
            "state",
            "opened_at",
            "closes_at",
            "weighting",
            "snapshot_block",
        ]


class WordsSerializer(StrictSerializer):
    """What a voter says about a work."""

    text = serializers.CharField(
        max_length=2_000, help_text="1 to 500 characters once white space is folded; no markup"
    )


class OpinionSerializer(StrictSerializer):
    liked = serializers.BooleanField(allow_null=True, help_text="null takes it back")


class LikingSerializer(serializers.Serializer[Any]):
    """How many like a work, how many do not, and what the voter says."""

    liked = serializers.IntegerField()
    disliked = serializers.IntegerField()
    own = serializers.BooleanField(allow_null=True)


class HideSerializer(StrictSerializer):
    hidden = serializers.BooleanField()


class CommentSerializer(serializers.ModelSerializer[Comment]):
    """``is_simulated``: by a voter that the installation runs itself."""

    voter = serializers.CharField(source="voter.address")
    is_simulated = serializers.BooleanField(source="voter.is_simulated")

    class Meta:
        model = Comment
        fields = ["id", "artwork", "voter", "is_simulated", "text", "created_at"]


class ShownWorkSerializer(serializers.ModelSerializer[Artwork]):
    image = serializers.SerializerMethodField()

    class Meta:
        model = Artwork
        fields = ["id", "index", "image_digest", "image"]

    @extend_schema_field(OpenApiTypes.URI_REF)
    def get_image(self, work: Artwork) -> str:
        return reverse("artwork-image", args=[work.image_digest])


class PairSerializer(serializers.Serializer[Any]):
    left = ShownWorkSerializer()
    right = ShownWorkSerializer()


class PairQuerySerializer(serializers.Serializer[Any]):
    """Which pairs not to ask about: those chosen on a page and not sent yet."""

    without = serializers.RegexField(
        r"^[1-9]\d{0,17}-[1-9]\d{0,17}(,[1-9]\d{0,17}-[1-9]\d{0,17}){0,19}$",
        required=False,
        help_text="pairs of ids, such as 3-7,7-12; at most twenty",
    )


class BallotSerializer(StrictSerializer):
    """A choice between two works, as they were shown."""

    left = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    right = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    winner = serializers.IntegerField(min_value=1, max_value=MAX_ID)
    signature = serializers.CharField(
        required=False,
        trim_whitespace=False,
        max_length=132,
        help_text="EIP-712 of the vote by the voter's wallet, 65 bytes in hex, with 0x; optional",
    )


class VoteSerializer(serializers.Serializer[Vote]):
    """A vote as it is kept.

    Its fields are named here: derived from the model for each answer they took a tenth of the time.
    """

    id = serializers.IntegerField()
    round = serializers.IntegerField(source="round_id")
    first = serializers.IntegerField(source="first_id")
    second = serializers.IntegerField(source="second_id")
    winner = serializers.IntegerField(source="winner_id")
    shown_left = serializers.IntegerField(source="shown_left_id")
    cast_at = serializers.DateTimeField()
    is_signed = serializers.SerializerMethodField()

    def get_is_signed(self, vote: Vote) -> bool:
        return bool(vote.signature)


class ProposalSerializer(serializers.ModelSerializer[Proposal]):
    input_hash = serializers.CharField(source="score_run.input_hash")
    code_version = serializers.CharField(source="score_run.code_version")
    n_votes = serializers.IntegerField(source="score_run.n_votes")
    n_voters = serializers.IntegerField(source="score_run.n_voters")
    market = serializers.JSONField(
        source="score_run.market", help_text="what the sales said, and which did not count"
    )
    round = serializers.IntegerField(source="score_run.round_id")
    resulting = ParameterSetSerializer(allow_null=True)

    class Meta:
        model = Proposal
        fields = [
            "id",
            "drop",
            "round",
            "base",
            "state",
            "old",
            "proposed",
            "applied",
            "rows",
            "reason",
            "decided_at",
            "resulting",
            "input_hash",
            "code_version",
            "n_votes",
            "n_voters",
            "market",
            "created_at",
        ]


class DecisionSerializer(StrictSerializer):
    decision = serializers.ChoiceField(["approve", "edit", "reject"])
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=300)
    parameters = serializers.JSONField(
        required=False, help_text="for edit: distributions, truncation_psi and directions"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["decision"] == "edit") != ("parameters" in attrs):
            raise serializers.ValidationError(
                {"parameters": ["Needed to edit, and for nothing else."]}
            )
        return attrs

    def validate_parameters(self, value: Any) -> Parameters:
        try:
            return Parameters.from_json(value)
        except (ParametersError, ValueError, OverflowError) as error:
            raise serializers.ValidationError([str(error)]) from error
