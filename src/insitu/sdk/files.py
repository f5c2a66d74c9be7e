"""Files as a publisher names them (paths, URLs, contents), and what documents say about them."""

import hashlib
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from insitu.domain.algorithm import ENTRYPOINT_SCRIPT, command
from insitu.domain.canonical import JsonObject
from insitu.domain.errors import InsituError
from insitu.domain.file_names import safe_path
from insitu.domain.media_types import media_type

FileLike = str | Path | Mapping[str, Any]
"""A path on this machine, a URL, or a description as in ``main.files``."""

AlgorithmFiles = Path | str | Sequence[Path | str] | Mapping[str, bytes | str | Path]
"""Paths, a folder, or name → content."""

_INTERPRETERS = {
    ".py": "python3", ".sh": "sh", ".r": "Rscript", ".js": "node", ".java": "java", ".jar": "java -jar",
}  # fmt: skip


def placed(file: Path) -> Path:
    """Return the absolute path of a file without ``..``. Links stay in it, because the gateway decides about them."""
    return Path(os.path.abspath(file))  # noqa: PTH100  Path.resolve would follow links


def describe_files(files: Sequence[FileLike], *, pinned: bool = False) -> list[JsonObject]:
    """Describe the files of a data set. A path becomes a ``file:`` URL, which is opened where it is.

    With ``pinned`` the description has the SHA-256 of each file that is on this machine.
    """
    return [_describe(position, file, pinned=pinned) for position, file in enumerate(files)]


def _describe(position: int, file: FileLike, *, pinned: bool) -> JsonObject:
    if isinstance(file, Mapping):
        return {"index": position, **file}
    if isinstance(file, str) and _is_url(file):
        name = PurePosixPath(urlsplit(file).path).name
        named = {"name": name} if name else {}
        return {"index": position, "url": file, **named, "contentType": media_type(name)}
    path = placed(Path(file).expanduser())
    described = {"index": position, "url": path.as_uri(), "name": path.name, "contentType": media_type(path.name)}
    if not path.is_file():  # The data may be on the provider's machine; then only the provider knows its length.
        return described
    described["contentLength"] = str(path.stat().st_size)
    return described | ({"checksum": _digest(path), "checksumType": "sha256"} if pinned else {})


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_url(text: str) -> bool:
    scheme = urlsplit(text).scheme
    return len(scheme) > 1 and text.startswith(scheme + ":")


def read_contents(files: AlgorithmFiles) -> dict[str, bytes]:
    """Read the files of an algorithm: name → content. A folder means all files in it.

    Raises ``InvalidRequest`` if there is no file, and ``InvalidDocument`` for an unsafe name.
    """
    if isinstance(files, Mapping):
        named = {name: _content(value) for name, value in files.items()}
    else:
        paths = [Path(files)] if isinstance(files, str | Path) else [Path(file) for file in files]
        named = dict(pair for path in paths for pair in _read_path(path.expanduser()))
    if not named:
        raise InsituError("InvalidRequest", "an algorithm needs at least one file")
    return {safe_path(name): content for name, content in named.items()}


def _content(value: bytes | str | Path) -> bytes:
    if isinstance(value, Path):
        return _read(value)
    return value.encode() if isinstance(value, str) else value


def _read_path(path: Path) -> list[tuple[str, bytes]]:
    if path.is_dir():
        inside = sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
        return [(file.relative_to(path).as_posix(), _read(file)) for file in inside]
    return [(path.name, _read(path))]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InsituError("FileMissing", f"there is no file {path}") from error
    except OSError as error:
        raise InsituError("FileUnusable", f"{path} cannot be read: {error.strerror}") from error


def entrypoint_of(names: Sequence[str]) -> str | None:
    """Return how an algorithm of one script is started; None if it has a ``compute-entrypoint.sh``.

    Raises ``EntrypointMissing`` if the publisher must name it.
    """
    if ENTRYPOINT_SCRIPT in names:
        return None
    if len(names) == 1 and (interpreter := _INTERPRETERS.get(PurePosixPath(names[0]).suffix.lower())):
        return f"{interpreter} {shlex.quote(names[0])}"
    raise InsituError("EntrypointMissing")


def describe_algorithm(
    contents: Mapping[str, bytes], entrypoint: str | None, container: Mapping[str, Any] | None
) -> JsonObject:
    """Return ``main.algorithm``. Raises ``InvalidDocument`` if it cannot be started, before anything is uploaded."""
    start = entrypoint or entrypoint_of(list(contents))
    command(start, contents)  # raises if it cannot be started, before anything is uploaded
    algorithm: JsonObject = {"language": "", "format": "docker-image", "version": "1"}
    algorithm |= {"entrypoint": start} if start is not None else {}
    algorithm |= {"requirements": {"container": dict(container)}} if container is not None else {}
    return algorithm
