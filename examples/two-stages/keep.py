"""Stage 0: keep the words of all inputs that are long enough; --at-least comes from the stage's configuration."""

import argparse
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--input1", type=pathlib.Path, required=True)
parser.add_argument("--input2", type=pathlib.Path, required=True)
parser.add_argument("--output", type=pathlib.Path, required=True)
parser.add_argument("--logs", type=pathlib.Path)
parser.add_argument("--at-least", type=int, default=1)
options = parser.parse_args()

files = sorted(path for folder in (options.input1, options.input2) for path in folder.rglob("*.txt"))
words = [word for path in files for word in path.read_text().lower().split() if len(word) >= options.at_least]
print("kept", len(words), "words of", len(files), "files", flush=True)
(options.output / "words.txt").write_text("\n".join(words))
