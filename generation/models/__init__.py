"""Rows of generation: what is learned from, what is drawn, and the jobs that do it."""

from generation.models.art import (
    Checkpoint,
    Dataset,
    DatasetQuerySet,
    Direction,
    ItemLabel,
    Permission,
)
from generation.models.curation import CurationDecision, CurationDecisionQuerySet
from generation.models.drops import (
    Artwork,
    ArtworkQuerySet,
    ArtworkTrait,
    Collection,
    Drop,
    DropQuerySet,
    FacetIndex,
    ParameterSet,
)
from generation.models.edits import DatasetEdit, DatasetEditQuerySet
from generation.models.evidence import ImmutableRowError
from generation.models.jobs import Job, JobQuerySet
from generation.models.moved import MovedPicture, MovedPictureQuerySet
from generation.models.plans import Candidate, CandidateQuerySet, DropPlan, Look, LookQuerySet
from generation.models.selections import Selection

__all__ = [
    "Artwork",
    "ArtworkQuerySet",
    "ArtworkTrait",
    "Candidate",
    "CandidateQuerySet",
    "Checkpoint",
    "Collection",
    "CurationDecision",
    "CurationDecisionQuerySet",
    "Dataset",
    "DatasetEdit",
    "DatasetEditQuerySet",
    "DatasetQuerySet",
    "Direction",
    "Drop",
    "DropPlan",
    "DropQuerySet",
    "FacetIndex",
    "ImmutableRowError",
    "ItemLabel",
    "Job",
    "JobQuerySet",
    "Look",
    "LookQuerySet",
    "MovedPicture",
    "MovedPictureQuerySet",
    "ParameterSet",
    "Permission",
    "Selection",
]
