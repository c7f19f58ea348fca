"""VADER: a lexicon of rated words, emoji and idioms, with rules for negation and emphasis.

Hutto and Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media
Text", ICWSM 2014; the authors' package, which needs no network.
"""

from functools import cache
from importlib.metadata import version

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from sentiment.text.language import may_be_english


class Vader:
    """The scorer that needs no training."""

    name = f"vader {version('vaderSentiment')}"
    # benchmarks.comments: .704 +- .028 of 285 comments about crypto money; of the 232 among them on
    # which it takes a side .750, and .733 of all if no side were taken for liking.
    accuracy = 0.704

    def score(self, text: str) -> float:
        """Compound sentiment in [-1, 1]; 0 for words it does not know and for other languages."""
        if not may_be_english(text):
            return 0.0
        found: dict[str, float] = _analyzer().polarity_scores(text)
        return float(found["compound"])


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()
