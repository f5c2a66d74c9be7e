"""The embedded chain's state on disk.

anvil writes ``state.json`` when it gets SIGTERM, also after its parent was killed. While it runs, we dump its state to
``saved.json`` soon after blocks are mined, atomically. After a crash of anvil or of the machine, the newer readable one
counts; at most the blocks of the last moments are lost. (anvil's own ``--state-interval`` would write the whole state
each second, changed or not, and not atomically.)
"""

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from insitu.adapters.chain.deployments import replace_file
from insitu.domain.errors import InsituError

_PIECE = 1 << 18


class StateFiles:
    """The files of one embedded chain.

    Parameters
    ----------
    folder
        The folder of the files.
    """

    def __init__(self, folder: Path) -> None:
        self.at_end = folder / "state.json"
        self.saved = folder / "saved.json"

    def choose(self) -> Path | None:
        """Return the newest readable state; None for a new chain. Unreadable ones are renamed to ``.broken``."""
        existing = [path for path in (self.at_end, self.saved) if path.exists()]
        for path in sorted(existing, key=lambda path: path.stat().st_mtime_ns, reverse=True):
            if _is_whole(path):
                return path
            path.replace(path.with_suffix(".broken"))
        return None

    def save(self, dump: str) -> None:
        """Write the result of ``anvil_dumpState``: compressed JSON in hexadecimal. Raises ``StorageFailed``."""
        replace_file(self.saved, _unpack(dump))


def _unpack(dump: str) -> Iterator[bytes]:
    """Yield the JSON piece by piece: it grows with the chain, and is written up to once a second."""
    try:
        with gzip.open(io.BytesIO(bytes.fromhex(dump.removeprefix("0x")))) as state:
            while piece := state.read(_PIECE):
                yield piece
    except (OSError, EOFError, ValueError, zlib.error):
        raise InsituError("StorageFailed", "the embedded chain returned no state to save") from None


def _is_whole(path: Path) -> bool:
    """Return whether a state was written completely: valid JSON that is not cut off."""
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except (OSError, ValueError):
        return False
