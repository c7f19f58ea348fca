"""Comments as sentiment: worked examples, and an independent computation of the trained one."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from sentiment.text import classifier
from sentiment.text.evidence import NEUTRAL
from sentiment.text.language import may_be_english
from sentiment.text.vader import Vader

GOOD = ["love the calm eyes", "a great hat", "so good, love it", "great work", "good and calm"]
BAD = ["hate the dull eyes", "a bad hat", "so bad, hate it", "dull work", "bad and dull"]
TEXTS = [f"{text} {n}" for n in range(3) for text in GOOD + BAD]
LIKED = np.array([text in GOOD for _ in range(3) for text in GOOD + BAD])
THREADS = [str(i % 12) for i in range(len(TEXTS))]


@pytest.fixture(scope="module")
def scorer() -> classifier.Scorer:
    return classifier.train(TEXTS, LIKED, THREADS)


def test_a_published_sentence_has_its_published_score() -> None:
    """From the package's README."""
    text = "VADER is smart, handsome, and funny."

    assert Vader().score(text) == pytest.approx(0.8316, abs=1e-4)


@pytest.mark.parametrize(
    "text", ["good", "I love this hat", "🎩 😍", "not bad at all", "LOVE it!!!"]
)
def test_praise_is_above_neutral(text: str) -> None:
    assert Vader().score(text) >= NEUTRAL


@pytest.mark.parametrize("text", ["not good", "I don't like the eyes", "ugly", "😠", "never good"])
def test_blame_is_below_neutral(text: str) -> None:
    assert Vader().score(text) <= -NEUTRAL


def test_what_is_not_understood_stays_so() -> None:
    """Whoever makes these better may change this: sarcasm, and negation by a subject."""
    assert Vader().score("oh great, yet another hat") > 0
    assert Vader().score("nobody would love this") > 0


@pytest.mark.parametrize("text", ["", "a hat", "#12", "0x1f", "the one on the left"])
def test_what_says_nothing_is_neutral(text: str) -> None:
    assert Vader().score(text) == 0


@pytest.mark.parametrize(
    "text",
    [
        "die Augen sind nicht schlecht",  # "die" is a rated word of the English lexicon
        "le chapeau est très beau",
        "los ojos son muy feos",
        "gli occhi sono molto belli",
        "de hoed is niet mooi en heel saai, maar het fine wel",
        "прекрасная работа, love",
        "とても美しい good",
    ],
)
def test_other_languages_are_neutral(text: str, scorer: classifier.Scorer) -> None:
    assert not may_be_english(text)
    assert Vader().score(text) == scorer.score(text) == 0


@given(st.text(max_size=200))
def test_any_text_has_a_score_in_its_range(text: str) -> None:
    assert -1 <= Vader().score(text) <= 1


def test_the_trained_one_learns_words_and_their_negation() -> None:
    texts = ["good", "not good", "very good", "not bad", "bad", "very bad"] * 12
    liked = np.array([True, False, True, True, False, False] * 12)

    scorer = classifier.train(texts, liked, [str(i // 6) for i in range(72)])

    assert scorer.accuracy == 1
    assert scorer.score("good") > 0 > scorer.score("not good")
    assert scorer.score("not bad") > 0 > scorer.score("bad")


def test_scores_are_those_of_sklearn(scorer: classifier.Scorer) -> None:
    vectors = TfidfVectorizer(analyzer=classifier.split, sublinear_tf=True)
    model = LogisticRegression(C=classifier.C, class_weight="balanced", max_iter=1000)
    model.fit(vectors.fit_transform(TEXTS), LIKED)
    asked = ["love love the hat", "a dull, dull hat", "great eyes", "calm or bad?"]

    expected = 2 * model.predict_proba(vectors.transform(asked))[:, 1] - 1

    assert [scorer.score(text) for text in asked] == pytest.approx(expected.tolist(), abs=1e-9)


def test_unknown_words_are_neutral(scorer: classifier.Scorer) -> None:
    assert scorer.score("zyx wvu") == 0


def test_a_saved_scorer_comes_back_the_same(scorer: classifier.Scorer, tmp_path: Path) -> None:
    classifier.save(scorer, tmp_path / "scorer.safetensors")

    found = classifier.load(tmp_path / "scorer.safetensors")

    assert (found.name, found.measured) == (scorer.name, scorer.measured)
    assert [found.score(text) for text in TEXTS] == [scorer.score(text) for text in TEXTS]


@pytest.mark.parametrize("raw", [b"", b"no scorer", b"\x80\x04K\x01.", bytes(100)])
def test_another_file_is_refused(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(raw)

    with pytest.raises(classifier.ScorerError, match="other is no scorer"):
        classifier.load(tmp_path / "other")


def test_weights_that_are_no_numbers_are_refused(scorer: classifier.Scorer) -> None:
    facts = vars(scorer) | {"idf": np.full(len(scorer.terms), math.nan)}
    named = {name: facts[name] for name in scorer.__dataclass_fields__}

    with pytest.raises(classifier.ScorerError):
        classifier.Scorer(**named)
