"""Check that every relative link of the committed Markdown files leads to a file, and every anchor to a heading."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<!\!)\[[^\]\[]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def pages() -> list[Path]:
    """Return the Markdown files that git tracks or would track."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    listing = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return sorted(path for name in listing.split("\0") if name and (path := ROOT / name).is_file())


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of the headings of a page."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.*?)\s*$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.add(anchor if anchor not in found else f"{anchor}-1")
    return found


def broken(page: Path) -> list[str]:
    """Return what is wrong with the links of a page."""
    wrong = []
    for match in LINK.finditer(FENCE.sub("", page.read_text("utf-8"))):
        target = unquote(match[1] or match[2])
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        place = (page.parent / name).resolve() if name else page
        if not place.exists():
            wrong.append(f"{page.relative_to(ROOT)}: {target}: no such file")
        elif anchor and place.suffix == ".md" and anchor not in anchors(place):
            wrong.append(f"{page.relative_to(ROOT)}: {target}: no such heading")
    return wrong


def main() -> int:
    """Print every broken link; the exit code says whether there was one."""
    wrong = [line for page in pages() for line in broken(page)]
    print("\n".join(wrong) or f"{len(pages())} pages")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
