"""What ``GET files`` of the gateway answers: a folder of the provider (ADR 0160)."""

from typing import Literal

from insitu.domain.wire import WireModel

Kind = Literal["file", "folder", "other"]


class ListedFile(WireModel):
    """An entry of a folder of the provider.

    Attributes
    ----------
    name
        As it is; bytes that are not UTF-8 are written by number. Of a data root, its whole path.
    path
        To ask for what is in it; None if it cannot be named.
    size
        Bytes; None of what is not a file.
    url
        With which a list of files names it; None if it cannot be published.
    problem
        Why it cannot be published, as the end of a sentence that begins with the name.
    """

    name: str
    kind: Kind
    path: str | None = None
    size: int | None = None
    url: str | None = None
    problem: str | None = None


class Folder(WireModel):
    """Answer of ``GET files``: a page of a folder, sorted by name; ``next`` is the ``after`` of the next page.

    ``path`` is None for the list of the data roots, and ``above`` in a root. Hidden files are left out.
    """

    path: str | None
    above: str | None = None
    files: tuple[ListedFile, ...]
    next: str | None = None
