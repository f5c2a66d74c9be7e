"""Many files as one stream: a tar archive (POSIX.1-2001, pax) of plain files, written and read as it arrives.

Every file has an extended header with its path, and with its index in the asset as ``INSITU.index``, which other tar
readers ignore. The server is not trusted: anything in another form ends the reading.
"""

import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass

from insitu.domain.errors import InsituError

MEDIA_TYPE = "application/x-tar"
END = bytes(2 * tarfile.BLOCKSIZE)
MAX_HEADER = 64 * 1024
"""Bytes of an extended header."""

_INDEX = "INSITU.index"


def archive_header(index: int, name: str, size: int) -> bytes:
    """Return what comes before the content of a file; ``size`` is in bytes."""
    info = tarfile.TarInfo(name)
    info.size, info.pax_headers = size, {_INDEX: str(index), "path": name, "size": str(size)}
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def archive_padding(size: int) -> bytes:
    """Return what comes after the content of a file."""
    return bytes(-size % tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file in transit. Its name comes from the server: check it before writing. Read ``content`` before the next."""

    index: int
    name: str
    content: AsyncIterator[bytes]


async def read_archive(chunks: AsyncIterator[bytes]) -> AsyncIterator[ArchivedFile]:
    """Yield the files of an archive. Raises ``PeerUnavailable`` if it breaks off or has another form."""
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
            continue  # skip a file that nobody read
        await stream.exactly(-size % tarfile.BLOCKSIZE)


def _records(raw: bytes) -> dict[str, str]:
    """Parse the records of an extended header: length of the record, space, name, ``=``, value, newline."""
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
        """Yield exactly ``size`` bytes."""
        while size:
            try:
                while not self._left:
                    self._left = await anext(self._chunks)
            except StopAsyncIteration:
                raise InsituError("PeerUnavailable", "an archive ended too early") from None
            piece, self._left = self._left[:size], self._left[size:]
            size -= len(piece)
            yield piece

    async def exactly(self, size: int) -> bytes:
        return b"".join([piece async for piece in self.next(size)])
