"""Count words: reads every file of every input, writes one line for each word, the most frequent first.

Nothing here knows insitu. It finds its folders in environment variables; they are also passed as arguments such as
--input1=/mnt/volume1.
"""

import collections
import os
import pathlib

inputs = pathlib.Path(os.environ["NEVERMINED_INPUTS_PATH"])
output = pathlib.Path(os.environ["NEVERMINED_OUTPUTS_PATH"])

counts = collections.Counter()
for path in sorted(inputs.rglob("*")):
    if path.is_file():
        counts.update(path.read_text().lower().split())

print("counted", counts.total(), "words", flush=True)  # the consumer sees this live if the owner shows logs
lines = [f"{word} {number}\n" for word, number in counts.most_common()]
(output / "output.txt").write_text("".join(lines))
