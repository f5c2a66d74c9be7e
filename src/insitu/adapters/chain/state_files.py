"""The embedded chain's memory on the disk.

``state.json`` is what anvil writes when it is told to end, also when its parent was killed. ``saved.json`` is what we
have it dump while it runs, soon after blocks were mined, written whole or not at all. After a crash of anvil itself or
of the machine the newer one that can be read counts; at most the last moments of blocks are lost. (anvil's own
``--state-interval`` would write the whole state each second, changed or not, and not atomically.)
"""

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from insitu.adapters.chain.deployments import replace_file
from insitu.domain.errors import InsituError

__all__ = ["StateFiles"]

_PIECE = 1 << 18


class StateFiles:
    """The files of one embedded chain.

    Parameters
    ----------
    folder
        Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.at_end = folder / "state.json"
        self.saved = folder / "saved.json"

    def choose(self) -> Path | None:
        """Return the newest state that can be read; None for a new chain. Unreadable ones are put aside."""
        existing = [path for path in (self.at_end, self.saved) if path.exists()]
        for path in sorted(existing, key=lambda path: path.stat().st_mtime_ns, reverse=True):
            if _is_whole(path):
                return path
            path.replace(path.with_suffix(".broken"))
        return None

    def save(self, dump: str) -> None:
        """Write what ``anvil_dumpState`` gave: hexadecimal of compressed JSON. Raises ``StorageFailed``."""
        replace_file(self.saved, _unpacked(dump))


def _unpacked(dump: str) -> Iterator[bytes]:
    """Return the JSON piece by piece: it grows with the chain, and is written as often as each second."""
    try:
        with gzip.open(io.BytesIO(bytes.fromhex(dump.removeprefix("0x")))) as state:
            while piece := state.read(_PIECE):
                yield piece
    except (OSError, EOFError, ValueError, zlib.error):
        raise InsituError("StorageFailed", "the embedded chain gave no state to save") from None


def _is_whole(path: Path) -> bool:
    """Tell whether a state was written to its end: JSON that isn't cut off."""
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except (OSError, ValueError):
        return False
