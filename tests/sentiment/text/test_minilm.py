"""A scorer by what sentences mean. What needs the weights runs where the extra is installed."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from sentiment.text import classifier, minilm
from sentiment.text.classifier import ScorerError
from sentiment.text.judging import Accuracy
from sentiment.text.minilm import DIMENSIONS, SentenceScorer

needs_weights = pytest.mark.skipif(not minilm.is_installed(), reason="the extra minilm")
MEASURED = Accuracy(0.84, 0.02, 100, 20)


def scorer(seed: int = 0) -> SentenceScorer:
    return SentenceScorer(np.random.default_rng(seed).normal(size=DIMENSIONS), 0.25, MEASURED)


def test_what_is_saved_is_loaded_again(tmp_path: Path) -> None:
    minilm.save(scorer(), tmp_path / "scorer.safetensors")

    found = minilm.load(tmp_path / "scorer.safetensors")

    assert found.name == scorer().name
    assert found.measured == MEASURED
    assert (found.coefficients == scorer().coefficients).all()
    assert scorer(1).name != scorer().name


def test_a_score_is_twice_the_probability_less_one() -> None:
    vector = np.zeros(DIMENSIONS)
    vector[3] = 1
    odds = scorer().coefficients[3] + 0.25

    assert scorer().score_vector(vector) == pytest.approx(2 / (1 + np.exp(-odds)) - 1)


@pytest.mark.parametrize("text", ["", "   ", "Это прекрасно, мне очень нравится"])
def test_what_it_cannot_read_takes_no_side(text: str) -> None:
    assert scorer().score(text) == 0


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"coefficients": np.zeros(3)}, path, {"format": minilm.FORMAT, "facts": "{}"})
    (tmp_path / "text").write_text("no scorer")

    with pytest.raises(ScorerError):
        minilm.load(path)
    with pytest.raises(ScorerError, match="no scorer by MiniLM"):
        minilm.load(tmp_path / "text")
    with pytest.raises(ScorerError):
        classifier.load(path)


@pytest.mark.parametrize("shape", [3, 385])
def test_as_many_coefficients_as_dimensions(shape: int) -> None:
    with pytest.raises(ScorerError, match="384 coefficients"):
        SentenceScorer(np.zeros(shape), 0.0, MEASURED)


@pytest.mark.skipif(minilm.is_installed(), reason="the extra is installed")
def test_without_the_extra_it_says_what_to_install() -> None:
    with pytest.raises(ScorerError, match="minilm"):
        scorer().score("I like it")


@needs_weights
def test_alike_sentences_have_alike_vectors() -> None:
    liked, loved, rain = minilm.vectors(["I like this face", "I love that face", "It rains"])

    assert liked @ loved > 0.6
    assert liked @ rain < 0.3
    assert np.linalg.norm(liked) == pytest.approx(1, abs=1e-5)


@needs_weights
def test_it_learns_sides_and_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    good = [f"I love this {word}" for word in ("hat", "face", "coat", "smile", "eye")]
    bad = [f"I hate this {word}" for word in ("hat", "face", "coat", "smile", "eye")]
    threads = [str(n) for n in range(10)]

    found = minilm.train(good + bad, np.array([True] * 5 + [False] * 5), threads)

    assert found.score("I love the chin") > 0 > found.score("I hate the chin")
    monkeypatch.setattr(minilm, "WEIGHTS_SHA256", "0" * 64)
    minilm._encoder.cache_clear()
    with pytest.raises(ScorerError, match="weights hash to"):
        found.score("I love it")
    minilm._encoder.cache_clear()
