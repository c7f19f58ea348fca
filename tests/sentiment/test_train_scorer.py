"""A scorer trained by the command, and comments read by it."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from generation.models import Artwork
from sentiment.models import Comment, Voter
from sentiment.services import comment_scorer, write_comment
from sentiment.text import classifier

HEADER = "source_row,thread,sentiment,comment\n"


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    file = tmp_path / "labelled.csv"
    sides = {"Positive": "brim, love it", "Negative": "brim, hate it"}
    rows = [f'{n},{n // 2},{side},"{text}"\n' for n in range(20) for side, text in sides.items()]
    file.write_text(HEADER + "".join(rows))
    return file


def test_comments_are_scored_when_they_are_written(voter: Voter, works: list[Artwork]) -> None:
    comment, _ = write_comment(voter=voter, artwork=works[0], text="I love it")

    assert comment.score == pytest.approx(0.6369)
    assert comment.scored_by == "vader 3.3.2"


def test_a_trained_scorer_is_measured_kept_and_used(
    labelled: Path,
    tmp_path: Path,
    settings: Settings,
    voter: Voter,
    works: list[Artwork],
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "scorer.safetensors"

    call_command("train_scorer", str(labelled), "--out", str(out))
    settings.COMMENT_SCORER = str(out)
    comment, _ = write_comment(voter=voter, artwork=works[0], text="brim, hate it")

    assert "1.000 +- 0.000 (40 comments of 10 threads)" in capsys.readouterr().out
    assert classifier.load(out).accuracy == comment_scorer().accuracy == 1
    assert Comment.objects.get().score == comment.score
    assert comment.score is not None
    assert comment.score < 0
    assert comment.scored_by.startswith("tfidf ")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,b\n1,2\n", "no column comment, sentiment, thread"),
        (HEADER + "1,t,Mixed,words\n", "row 1 is neither"),
        (HEADER + "1,t,Positive,words\n", "10 threads"),
    ],
)
def test_a_file_that_teaches_nothing_is_refused(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)

    with pytest.raises(CommandError, match=why):
        call_command("train_scorer", str(tmp_path / "x.csv"), "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
