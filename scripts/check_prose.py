"""Refuse phrases that nobody would say, and references to documents that readers do not have.

CONTRIBUTING.md has the rules of language; this finds what a machine can find of them, in pages and in sources. The code
of a page, between backticks or in a block, is not checked.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PHRASES = {
    r"(?:it|this|that|which|what|who) (?:is|are) no (?!longer|more|less|better|worse|different)[a-z]": "is not a",
    r"mend(?:s|ed|ing)?": "fix, repair",
    r"for ever": "forever, permanently",
    r"anew": "again",
    r"inside of": "inside",
    r"to be had": "available",
    r"is to be (?:done|said)": "there is … to do",
    r"tells? whether": "return whether, say whether",
    r"buyers?": "consumer",
    r"(?:data|it|they|files?|images?|results?|logs?|blobs?) (?:lies?|lay)": "is, are, lives",
    r"gone on with": "continued, resumed",
    r"programmes?": "program",
}
"""What is refused: whole words, in letters of either case, also across the end of a line → what to write instead."""

WHERE_IT_STANDS = {
    r", too(?=[.,;:)]|$)": "no comma before too, or also",
    r"(?:(?<=[.;:] )|(?<=^)|(?<=\n\n)|(?<=^\* ))Who (?![^.]*\?)": "anyone who, if you",
}
"""The same for what only its place makes wrong."""

IN_PYTHON = {
    r"\bfor (?:one|each)(?:, \w+)* in ": "a loop variable that says what it is",
    r"\bdef _?(?:told|bought)\(": "a verb, or a noun",
}

GAP = r"(?:\s|[#*/])+"
"""A space, or the end of a line with the indentation or the sign of a comment after it."""

NOWHERE = re.compile(r"design §")
SOURCES = re.compile(r"(?:src|deploy|scripts|bench|examples|contracts/(?:src|test))/")
NOT_READ = re.compile(r".*\.sql")
"""Migrations are never changed once they are released."""
CODE = re.compile(r"(?ms)^(```|~~~).*?^\1|``[^`]+``|`[^`\n]*`")


def committed() -> Iterator[Path]:
    """Yield the files that git tracks or would track."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    yield from (path for name in sorted(listing.split("\0")) if name and (path := ROOT / name).is_file())


def is_read(name: str) -> bool:
    """Return whether the phrases of a file are checked: every page, and the sources."""
    return not NOT_READ.fullmatch(name) and (name.endswith(".md") or SOURCES.match(name) is not None)


def patterns(suffix: str) -> Iterator[tuple[re.Pattern[str], str]]:
    """Yield what is refused in a file of this kind, and what to write instead."""
    for phrase, better in PHRASES.items():
        yield re.compile(rf"(?im)\b(?:{phrase.replace(' ', GAP)})\b"), better
    for pattern, better in WHERE_IT_STANDS.items() if suffix == ".md" else ():
        yield re.compile(rf"(?m){pattern}"), better
    for pattern, better in IN_PYTHON.items() if suffix == ".py" else ():
        yield re.compile(rf"(?m){pattern}"), better


def found(path: Path, name: str) -> Iterator[str]:
    """Yield what is wrong in a file, with its line."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return
    for match in NOWHERE.finditer(text):
        yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}: readers do not have this document"
    if not is_read(name):
        return
    if path.suffix == ".md":
        text = CODE.sub(lambda code: "\n" * code.group().count("\n"), text)
    for pattern, better in patterns(path.suffix):
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{name}:{line}: {' '.join(match.group().split())!r}: write {better}"


def main() -> int:
    """Print everything that is wrong; the exit code says whether there was anything."""
    names = {path: str(path.relative_to(ROOT)) for path in committed() if path != Path(__file__).resolve()}
    wrong = [line for path, name in names.items() for line in found(path, name)]
    print("\n".join(wrong) or f"{sum(map(is_read, names.values()))} files")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
