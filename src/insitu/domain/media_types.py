"""Media types of files by their suffix: one fixed table, so that a file has the same type on every machine.

The last suffix decides, as in ``file_types``: ``.csv.gz`` is gzip. Vectors: ``media-types.json``.
"""

from collections.abc import Mapping

UNKNOWN = "application/octet-stream"

SUFFIXES: Mapping[str, str] = {
    "application/geo+json": ".geojson", "application/gzip": ".gz .tgz", "application/json": ".json",
    "application/pdf": ".pdf", "application/toml": ".toml", "application/vnd.apache.arrow.file": ".arrow .feather",
    "application/vnd.apache.parquet": ".parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.sqlite3": ".db .sqlite", "application/x-bzip2": ".bz2", "application/x-hdf5": ".h5 .hdf5",
    "application/x-ipynb+json": ".ipynb", "application/x-ndjson": ".jsonl .ndjson", "application/x-sh": ".sh",
    "application/x-tar": ".tar", "application/x-xz": ".xz", "application/xml": ".xml",
    "application/yaml": ".yaml .yml", "application/zip": ".npz .zip", "application/zstd": ".zst",
    "image/gif": ".gif", "image/jpeg": ".jpeg .jpg", "image/png": ".png", "image/svg+xml": ".svg",
    "image/tiff": ".tif .tiff", "image/webp": ".webp", "text/css": ".css", "text/csv": ".csv",
    "text/html": ".htm .html", "text/javascript": ".js", "text/markdown": ".md", "text/plain": ".log .txt",
    "text/tab-separated-values": ".tsv", "text/x-python": ".py", "text/x-r": ".r", "text/x-tex": ".tex",
}  # fmt: skip
"""Media type → the suffixes that have it."""
_TYPES = {suffix: kind for kind, suffixes in SUFFIXES.items() for suffix in suffixes.split()}


def media_type(name: str) -> str:
    """Return the media type of a file, by its name or path; :data:`UNKNOWN` if its suffix is not in the table."""
    stem, point, suffix = name.rpartition("/")[2].rpartition(".")
    return _TYPES.get(f".{suffix.lower()}", UNKNOWN) if stem and point else UNKNOWN
