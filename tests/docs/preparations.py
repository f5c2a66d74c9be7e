"""What is in a reader's folder before they type a how-to page, and which key they sign with."""

from dataclasses import dataclass

from tests.docs.pages import ROOT

PUBLISHED = "data=$(insitu publish examples/data/words.txt --name Flights --price 3 --allow-any --account owner)\n"
SCRIPT = "cp examples/count.py count.py\n"
WORKFLOW = """
algorithm=$(insitu publish count.py --algorithm)
python3 - "$data" "$algorithm" "$(insitu image ls --json)" > workflow.json <<'END'
import json
import sys

data, algorithm, images = sys.argv[1:]
container = {name: json.loads(images)[0][name] for name in ("image", "tag", "checksum")}
stage = {"index": 0, "stageType": "Transformation", "input": [{"index": 0, "id": data}], "output": {}}
workflow = {"stages": [stage | {"transformation": {"id": algorithm}, "requirements": {"container": container}}]}
print(json.dumps({"main": {"name": "Count words", "type": "workflow", "workflow": workflow, "files": []}}))
END
"""


CLONE = f"cp -r {ROOT / 'deploy'} deploy\nexport INSITU_HOME=$PWD/insitu-cluster\n"
TOOL = """
INSITU_HOME=$PWD/theirs insitu image build --name their/tool
tar -cf tool.tar -C theirs/images .
export INSITU_HOME=$PWD/own
"""


@dataclass(frozen=True)
class Preparation:
    """Commands in `sh` that are typed first, and the account that the page speaks for."""

    script: str = ""
    account: str | None = None


PREPARATIONS = {
    "docs/how-to/run-an-algorithm.md": Preparation(PUBLISHED + SCRIPT + WORKFLOW),
    "docs/how-to/run-every-night.md": Preparation(PUBLISHED + SCRIPT),
    "docs/how-to/write-an-algorithm.md": Preparation("mkdir analysis\ncp examples/count.py analysis/main.py\n"),
    "docs/how-to/offer-a-data-set.md": Preparation(
        SCRIPT + "cp -r examples/data records\ncp examples/data/words.txt flights.csv\n", "owner"
    ),
    "docs/how-to/receipts-and-money.md": Preparation(
        PUBLISHED
        + SCRIPT
        + WORKFLOW
        + "workflow=$(insitu publish --document workflow.json)\ninsitu run $workflow --yes -o out/\n"
    ),
    "docs/how-to/call-over-http.md": Preparation(
        PUBLISHED
        + SCRIPT
        + WORKFLOW
        + "workflow=$(insitu publish --document workflow.json)\nagreement=$(insitu buy $workflow --yes)\n"
    ),
    "docs/how-to/provide-on-a-cluster.md": Preparation(CLONE),
    "docs/how-to/use-own-images.md": Preparation(TOOL),
    "docs/how-to/troubleshoot.md": Preparation(PUBLISHED + SCRIPT + "insitu run count.py --on $data --yes\n"),
}
"""Page → what it needs. How-to pages that are not here need a machine, a cluster or a network of their own."""
