"""The embedded chain's memory on the disk.

``state.json`` is what anvil writes when it is told to end, also when its parent was killed. ``saved.json`` is what we
have it dump while it runs, soon after blocks were mined, written whole or not at all. After a crash of anvil itself or
of the machine the newer one that can be read counts; at most the last moments of blocks are lost. (anvil's own
``--state-interval`` would write the whole state each second, changed or not, and not atomically.)
"""

import gzip
import json
from pathlib import Path

from insitu.adapters.chain.deployments import replace_file
from insitu.domain.errors import InsituError

__all__ = ["StateFiles"]


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
        try:
            content = gzip.decompress(bytes.fromhex(dump.removeprefix("0x")))
        except (OSError, EOFError, ValueError):
            raise InsituError("StorageFailed", "the embedded chain gave no state to save") from None
        replace_file(self.saved, content)


def _is_whole(path: Path) -> bool:
    """Tell whether a state was written to its end: JSON that isn't cut off."""
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except (OSError, ValueError):
        return False
