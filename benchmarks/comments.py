"""How often scorers of comments are right: `-m benchmarks.comments [FILE] [--json FILE]`.

FILE has columns comment, sentiment and thread; without it, crypto_comments.csv of ``shared/data``
beside the repository. VADER as it is; TF-IDF learns from nine tenths of the threads and is asked
about the other tenth, ten times. Standard errors take threads for the sample. A score of 0 takes no
side and counts as half right; "decided" leaves such comments out. MiniLM where its extra is
installed.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from sentiment.management.commands.train_scorer import read
from sentiment.text import classifier, judging, minilm
from sentiment.text.evidence import weight
from sentiment.text.vader import Vader

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "crypto_comments.csv"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=SHARED)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if not asked.file.exists():
        sys.exit(f"{asked.file.name} is not there")
    texts, liked, threads = read(asked.file)
    vader = np.array([Vader().score(text) for text in texts])
    side = vader != 0
    kept = [thread for thread, is_kept in zip(threads, side, strict=True) if is_kept]
    trained = classifier.train(texts, liked, threads)
    found = {
        "VADER": judging.judge(vader, liked, threads),
        "VADER, decided": judging.judge(vader[side], liked[side], kept),
        "VADER, undecided taken for liking": judging.judge(vader + 1e-9, liked, threads),
        "TF-IDF": trained.measured,
    }
    by_time = {"VADER": Vader().score, "TF-IDF": trained.score}
    if minilm.is_installed():
        sentences = minilm.train(texts, liked, threads)
        found["MiniLM"] = sentences.measured
        by_time["MiniLM"] = sentences.score
    for name, accuracy in found.items():
        print(f"{name:34} {accuracy}  weight {weight(accuracy.mean):.3f}")
    for name, score in by_time.items():
        print(f"{name:34} {microseconds(score, texts):.0f} us a comment")
    if asked.json:
        rows = {name: asdict(accuracy) for name, accuracy in found.items()}
        asked.json.write_text(json.dumps(rows, indent=1) + "\n")


def microseconds(score: Callable[[str], float], texts: list[str]) -> float:
    started = time.process_time()
    for text in texts:
        score(text)
    return 1e6 * (time.process_time() - started) / len(texts)


if __name__ == "__main__":
    main()
