"""A scorer learnt from labelled comments: TF-IDF of words and pairs, logistic regression.

Kept as a safetensors file, which is data and no program: weights as arrays, words and the measured
accuracy in its header.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sentiment.text.judging import Accuracy, cross_validate
from sentiment.text.language import may_be_english, plain

FORMAT = "morphora comment scorer 1"
# What sklearn's own drops is kept: apostrophes, so that "don't" is one word, "I", and emoji.
TOKEN = re.compile(r"\w[\w']*\w|[^\W\d_]|[\u2190-\u2bff\U0001f000-\U0001faff]")
C = 4.0  # as good as 16 and better than 1 on the comments of benchmarks.comments: .775, .768
UNMEASURED = Accuracy(0.5, 0.0, 0, 0)


class ScorerError(ValueError):
    """A file is no scorer; the message says why."""


@dataclass(frozen=True)
class Scorer:
    """Terms [T] with their inverse document frequencies and coefficients, and what it is worth."""

    terms: tuple[str, ...]
    idf: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    intercept: float
    measured: Accuracy

    def __post_init__(self) -> None:
        shape = (len(self.terms),)
        if self.idf.shape != shape or self.coefficients.shape != shape:
            raise ScorerError("as many weights as terms are needed")
        if not (np.isfinite(self.idf).all() and np.isfinite(self.coefficients).all()):
            raise ScorerError("a weight is not a number")
        if not (np.isfinite(self.intercept) and 0 <= self.measured.mean <= 1):
            raise ScorerError("an accuracy is in [0, 1]")

    @property
    def accuracy(self) -> float:
        return self.measured.mean

    @cached_property
    def places(self) -> dict[str, int]:
        return {term: i for i, term in enumerate(self.terms)}

    @cached_property
    def name(self) -> str:
        words = json.dumps([self.terms, self.intercept]).encode()
        arrays = self.idf.tobytes() + self.coefficients.tobytes()
        return f"tfidf {hashlib.sha256(words + arrays).hexdigest()[:12]}"

    def score(self, text: str) -> float:
        """2 p - 1 in (-1, 1), p the probability of liking; 0 where no word is known."""
        if not may_be_english(text):
            return 0.0
        counts = Counter(self.places[term] for term in split(text) if term in self.places)
        if not counts:
            return 0.0
        at = np.fromiter(counts, np.int64)
        weights = (1 + np.log(np.fromiter(counts.values(), np.float64))) * self.idf[at]
        odds = float(weights @ self.coefficients[at] / np.linalg.norm(weights)) + self.intercept
        return float(np.tanh(odds / 2))


def split(text: str) -> list[str]:
    """Words in lower case, and pairs of neighbours: "not good" is not "good"."""
    words = TOKEN.findall(plain(text))
    return words + [f"{first} {second}" for first, second in pairwise(words)]


def train(texts: Sequence[str], liked: NDArray[np.bool_], threads: Sequence[str]) -> Scorer:
    """A scorer that has seen all, with the accuracy of ones that had not seen a comment's thread.

    Raises
    ------
    ValueError
        The comments are all of one side, or of one thread.
    """
    if not len(texts) == len(liked) == len(threads):
        raise ValueError("one label and one thread per text")

    def one(texts: Sequence[str], liked: NDArray[np.bool_]) -> Callable[[str], float]:
        return _fit(texts, liked).score

    return _fit(texts, liked, measured=cross_validate(one, texts, liked, threads))


def _fit(
    texts: Sequence[str],
    liked: NDArray[np.bool_],
    measured: Accuracy = UNMEASURED,
) -> Scorer:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectors = TfidfVectorizer(analyzer=split, sublinear_tf=True)
    rows = vectors.fit_transform(texts)
    model = LogisticRegression(C=C, class_weight="balanced", max_iter=1000).fit(rows, liked)
    return Scorer(
        terms=tuple(vectors.get_feature_names_out().tolist()),
        idf=np.asarray(vectors.idf_, np.float64),
        coefficients=np.asarray(model.coef_[0], np.float64),
        intercept=float(model.intercept_[0]),
        measured=measured,
    )


def save(scorer: Scorer, path: Path) -> None:
    facts = {
        "terms": scorer.terms,
        "intercept": scorer.intercept,
        "measured": asdict(scorer.measured),
    }
    arrays = {"idf": scorer.idf, "coefficients": scorer.coefficients}
    header = {"format": FORMAT, "facts": json.dumps(facts)}
    temporary = path.with_name(f".{path.name}.part")
    save_file(arrays, temporary, header)
    temporary.replace(path)


def load(path: Path) -> Scorer:
    """Raises ScorerError for a file that ``save`` did not write."""
    try:
        with safe_open(path, "numpy") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise ScorerError(f"{path.name} is no scorer of comments")
            arrays = {name: file.get_tensor(name) for name in ("idf", "coefficients")}
        facts = json.loads(header["facts"])
        terms, measured = tuple(facts["terms"]), Accuracy(**facts["measured"])
        return Scorer(intercept=facts["intercept"], terms=terms, measured=measured, **arrays)
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ScorerError(f"{path.name} is no scorer of comments: {error}") from error
