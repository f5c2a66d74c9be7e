"""Stage 1: find the most frequent word of what stage 0 has kept. Only this output is published."""

import argparse
import collections
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--input1", type=pathlib.Path, required=True)
parser.add_argument("--output", type=pathlib.Path, required=True)
parser.add_argument("--logs", type=pathlib.Path)
options = parser.parse_args()

counts = collections.Counter((options.input1 / "words.txt").read_text().split())
word, number = min(counts.items(), key=lambda item: (-item[1], item[0]))
(options.output / "most-frequent.txt").write_text(f"{word} {number}\n")
