"""Many files as one stream: a tar archive (POSIX.1-2001, pax) of plain files, written and read as it comes.

Every file has an extended header with its path, and with its index in the asset as ``INSITU.index``, which other
readers of tar ignore. A server is a stranger: whatever is not of this form ends the reading.
"""

import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass

from insitu.domain.errors import InsituError

__all__ = ["END", "MEDIA_TYPE", "ArchivedFile", "archive_header", "archive_padding", "read_archive"]

MEDIA_TYPE = "application/x-tar"
END = bytes(2 * tarfile.BLOCKSIZE)
MAX_HEADER = 64 * 1024
"""Bytes of an extended header."""

_INDEX = "INSITU.index"


def archive_header(index: int, name: str, size: int) -> bytes:
    """What goes before the content of a file; ``size`` in bytes."""
    info = tarfile.TarInfo(name)
    info.size, info.pax_headers = size, {_INDEX: str(index), "path": name, "size": str(size)}
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def archive_padding(size: int) -> bytes:
    """What goes after the content of a file."""
    return bytes(-size % tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file on its way. Its name is the server's, to be checked by who writes it. Read ``content`` before the next."""

    index: int
    name: str
    content: AsyncIterator[bytes]


async def read_archive(chunks: AsyncIterator[bytes]) -> AsyncIterator[ArchivedFile]:
    """Yield the files of an archive. Raises ``PeerUnavailable`` where it breaks off or has another form."""
    stream = _Stream(chunks)
    while (block := await stream.exactly(tarfile.BLOCKSIZE)) != END[: tarfile.BLOCKSIZE]:
        try:
            extended = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
            if extended.type != tarfile.XHDTYPE or not 0 < extended.size <= MAX_HEADER:
                raise ValueError("no extended header")
            records = _records(await stream.exactly(extended.size))
            await stream.exactly(-extended.size % tarfile.BLOCKSIZE)
            plain = tarfile.TarInfo.frombuf(await stream.exactly(tarfile.BLOCKSIZE), "utf-8", "replace")
            index, name, size = int(records[_INDEX]), records["path"], int(records["size"])
            if not plain.isreg() or size < 0:
                raise ValueError("no plain file")
        except (tarfile.TarError, ValueError, KeyError) as error:
            raise InsituError("PeerUnavailable", f"an archive cannot be read: {error}") from None
        content = stream.next(size)
        yield ArchivedFile(index, name, content)
        async for _ in content:
            continue  # of a file that nobody wants
        await stream.exactly(-size % tarfile.BLOCKSIZE)


def _records(raw: bytes) -> dict[str, str]:
    """The records of an extended header: length of the record, blank, name, ``=``, value, end of line."""
    found: dict[str, str] = {}
    while raw:
        length = int(raw[: raw.index(b" ")])
        name, _, value = raw[raw.index(b" ") + 1 : max(length, 1) - 1].decode().partition("=")
        found[name], raw = value, raw[max(length, 1) :]
    return found


class _Stream:
    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    async def next(self, size: int) -> AsyncIterator[bytes]:
        """Yield exactly so many bytes."""
        while size:
            try:
                while not self._left:
                    self._left = await anext(self._chunks)
            except StopAsyncIteration:
                raise InsituError("PeerUnavailable", "an archive broke off") from None
            piece, self._left = self._left[:size], self._left[size:]
            size -= len(piece)
            yield piece

    async def exactly(self, size: int) -> bytes:
        return b"".join([piece async for piece in self.next(size)])
