"""Types of files that may leave: a suffix, and what it says about the bytes. A fixed table without a parser.

A suffix means text (UTF-8 without NUL), or first bytes that every such file begins with. A suffix that is not in the
table must be declared: ``.dcm=binary`` (any bytes) or ``.fasta=text``. The last part decides what the bytes are, so
``.csv.gz`` is gzip, and an owner who allows ``.gz`` also allows ``.csv.gz``, but not the other way round. An empty file
says no more than its name, so it is of every type. Vectors: ``file-types.json``.
"""

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from typing_extensions import override

from insitu.domain.file_names import MAX_COMPONENT_BYTES

Signature = tuple[tuple[int, bytes], ...]
"""(offset, bytes) of everything that must be in the file."""

Kind = Literal["text", "binary"] | tuple[Signature, ...]
"""What is known about the bytes: that they are text, nothing, or one of several beginnings."""

FORM = re.compile(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(=(binary|text))?", re.ASCII)
"""How a document may write a type: a suffix with or without its first dot, in any case, and a declaration."""

TEXT_SUFFIXES = (
    ".csv", ".geojson", ".htm", ".html", ".ipynb", ".json", ".jsonl", ".log", ".md", ".ndjson", ".svg", ".tex", ".toml",
    ".tsv", ".txt", ".xml", ".yaml", ".yml",
)  # fmt: skip
"""Suffixes whose files are text."""
_BEGINNINGS: Mapping[str, tuple[bytes, ...]] = {
    ".arrow": (b"ARROW1",),
    ".bz2": (b"BZh",),
    ".db .sqlite": (b"SQLite format 3\x00",),
    ".docx .npz .xlsx .zip": (b"PK\x03\x04", b"PK\x05\x06"),
    ".feather": (b"ARROW1", b"FEA1"),
    ".gif": (b"GIF87a", b"GIF89a"),
    ".gz .tgz": (b"\x1f\x8b\x08",),
    ".h5 .hdf5": (b"\x89HDF\r\n\x1a\n",),
    ".jpeg .jpg": (b"\xff\xd8\xff",),
    ".npy": (b"\x93NUMPY",),
    ".parquet": (b"PAR1",),
    ".pdf": (b"%PDF-",),
    ".pickle .pkl": (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".rda .rdata .rds": (b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00", b"RDX", b"X\n", b"A\n"),
    ".tif .tiff": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    ".xz": (b"\xfd7zXZ\x00",),
    ".zst": (b"\x28\xb5\x2f\xfd",),
}
"""Suffixes, and the first bytes their files may have."""
SIGNATURES: Mapping[str, tuple[Signature, ...]] = {
    **{
        suffix: tuple(((0, start),) for start in starts)
        for suffixes, starts in _BEGINNINGS.items()
        for suffix in suffixes.split()
    },
    ".tar": (((257, b"ustar"),),),
    ".webp": (((0, b"RIFF"), (8, b"WEBP")),),
}
"""Suffix → several beginnings of files, each as everything that must be in it."""
_HEAD_BYTES = 264
"""Everything the table asks for is within this many first bytes."""


def normal_type(text: str) -> str:
    """Return a type as rules compare it: with its first dot, in lower case."""
    return "." + text.lower().removeprefix(".")


def type_problem(text: str) -> str | None:
    """Return what is wrong with a type that an owner wants to allow, as a sentence, or None if it can be checked."""
    if FORM.fullmatch(text) is None:
        return "a file name suffix such as .csv or .tar.gz is needed, or a declared one such as .dcm=binary"
    suffix, _, declared = normal_type(text).partition("=")
    if _is_known(suffix) == bool(declared):
        return (
            f"the bytes of {suffix} are known: leave out ={declared}"
            if declared
            else f"the bytes of {suffix} are not known: write {suffix}=binary or {suffix}=text"
        )
    return None


def common_types(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    """Return what two lists of types both allow, sorted. Of two declarations of a suffix, ``text`` is the stricter."""
    left, right = _declarations(first), _declarations(second)
    common: dict[str, str] = {}
    for mine, theirs in ((left, right), (right, left)):
        for suffix, declared in mine.items():
            covering = next((tail for tail in _tails(suffix) if tail in theirs), None)
            if covering is not None:
                common[suffix] = max(common.get(suffix, ""), declared, theirs[covering])
    return tuple(sorted(f"{suffix}={declared}" if declared else suffix for suffix, declared in common.items()))


class Content:
    """Checks the bytes of one file as they pass."""

    def __init__(self, suffix: str, kind: Kind) -> None:
        self._suffix = suffix
        self._kind = kind
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._head = b""
        self._is_empty, self._is_text = True, True

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes."""
        self._is_empty = self._is_empty and not chunk
        if self._kind == "text":
            self._is_text = self._is_text and b"\0" not in chunk and self._decodes(chunk)
        elif len(self._head) < _HEAD_BYTES:
            self._head += chunk[: _HEAD_BYTES - len(self._head)]

    def problem(self) -> str | None:
        """Return what is wrong with the whole file, as the end of a sentence, or None if it is what its suffix says."""
        if self._is_empty or self._kind == "binary":
            return None
        if self._kind == "text":
            is_text = self._is_text and self._decodes(b"", final=True)
            return None if is_text else f"is not what {self._suffix} says: UTF-8 text without NUL"
        fits = any(all(self._head[at:].startswith(part) for at, part in signature) for signature in self._kind)
        return None if fits else f"does not begin as every {self._suffix} file does"

    def _decodes(self, chunk: bytes, *, final: bool = False) -> bool:
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            return False
        return True


class AllowedTypes:
    """The types of files that may leave."""

    def __init__(self, types: Iterable[str]) -> None:
        self._declared = _declarations(types)

    @override
    def __str__(self) -> str:
        return ", ".join(sorted(self._declared)) or "nothing"

    def content(self, name: str, size: int) -> Content | None:
        """Return a check for the bytes of a file with this name (without folders), or None if it may not leave at all.

        Markers such as ``_SUCCESS`` have neither content nor suffix, and may leave if anything may.
        """
        if size == 0 and "." not in name and self._declared:
            return Content("", "binary")
        suffix = next((tail for tail in _tails(name.lower()) if tail in self._declared), None)
        if suffix is None:
            return None
        return Content(suffix, _kind_of(suffix, self._declared[suffix]))


def _kind_of(suffix: str, declared: str) -> Kind:
    last = suffix[suffix.rindex(".") :]
    if last in SIGNATURES:
        return SIGNATURES[last]
    # An undeclared suffix comes from an old document, which meant any bytes.
    return "text" if last in TEXT_SUFFIXES or declared == "text" else "binary"


def _is_known(suffix: str) -> bool:
    last = suffix[suffix.rindex(".") :]
    return last in TEXT_SUFFIXES or last in SIGNATURES


def _declarations(types: Iterable[str]) -> dict[str, str]:
    """Return suffix → what it was declared to be, "" for nothing."""
    found: dict[str, str] = {}
    for text in types:
        suffix, _, declared = normal_type(text).partition("=")
        if len(suffix) <= MAX_COMPONENT_BYTES:  # no name has a longer suffix
            found[suffix] = max(found.get(suffix, ""), declared)  # "" < "binary" < "text"
    return found


def _tails(name: str) -> Iterator[str]:
    """Yield the suffixes of a name, the longest first: ``.csv.gz`` and ``.gz`` for ``a.csv.gz``."""
    at = name.find(".")
    while at >= 0:
        yield name[at:]
        at = name.find(".", at + 1)
