"""File names chosen by strangers: which ones are safe to create, to publish, and to show.

Documents, archives and output volumes all name files. A name is accepted only if it means the same file on every
system and nothing else: no way up, no absolute path, no control characters, no two names for one file. The rules are
stricter for what an algorithm left and a consumer will store than for what an owner mounts (ADR 0099).
"""

import re
import unicodedata
from collections.abc import Iterable

from insitu.domain.errors import InsituError

MAX_COMPONENT_BYTES = 255
MAX_PATH_BYTES = 1024
MAX_DEPTH = 32

_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9])\s*(\..*)?", re.IGNORECASE)
_SHORT_NAME = re.compile(r"[^.]{1,6}~[0-9]{1,6}(\.[^.]{0,3})?")
_LATER = """
88f 892-897 c5b-c5c cd7-cdc cf3-cff ece-ecf 1acf-1aff 1b4d-1b4f 1b7f 1c89-1c8f 20c1-20cf 2427-243f
2b96 2ffc-2fff 31e4-31ef a7cb-a7cf a7d2 a7d4 a7da-a7f1 fbc3-fbd2 fd90-fd91 fdc8-fdce 101fe-1027f
105bd-105ff 10940-1097f 10d3a-10e5f 10eb2-10eff 1123f-1127f 11375-113ff 114da-1157f 116ca-116ff
11747-117ff 11af9-11bff 11daa-11edf 11ef9-11faf 1239a-123ff 12544-12f8f 1342f 13439-143ff
14647-167ff 16b90-16e3f 16e9b-16eff 16ff2-16fff 187f8-187ff 18cd6-18cff 18d09-1afef 1b123-1b14f
1b153-1b163 1b2fc-1bbff 1bca4-1ceff 1d246-1d2df 1d379-1d3ff 1dab0-1deff 1df1f-1dfff 1e02b-1e0ff
1e150-1e28f 1e300-1e7df 1e960-1ec70 1ed3e-1edff 1eef2-1efff 1f266-1f2ff 1f6d8-1f6dc 1f774-1f77f
1f7d9-1f7df 1f8b2-1f8ff 1fa54-1fa5f 1fa75-1fa77 1fa87-1fa8f 1faad-1faaf 1fabb-1fabf 1fac6-1facf
1fada-1fadf 1fae8-1faef 1faf7-1faff 1fbcb-1fbef 1fbfa-1ffff 2b739-2b73f 2cea2-2ceaf 2ebe1-2f7ff
2fa1e-2ffff 3134b-e0000 e0080-e00ff e01f0-effff
"""
"""Ranges of code points that Unicode 14 does not assign and a later version does or may.

Nobody refuses by its own Unicode what another accepts: names are refused as by Unicode 14, that of Python 3.11.
"""


def _any_of(ranges: str) -> re.Pattern[str]:
    """Return an expression for one character of these ranges."""
    pairs = (pair.split("-") for pair in ranges.split())
    return re.compile("[" + "".join("-".join(chr(int(end, 16)) for end in pair) for pair in pairs) + "]")


_UNASSIGNED = _any_of(_LATER)
_ODD_START, _ODD_CHARACTERS = "~-=", ':*?"<>|'


def safe_name(name: str) -> str:
    """Return ``name`` if it is a single path component that can be created as it is.

    Otherwise raises ``InvalidDocument``, saying what is wrong with it.
    """
    problem = _component_problem(name)
    if problem:
        raise InsituError("InvalidDocument", f"the file name {_show(name)} {problem}")
    return name


def safe_path(path: str) -> str:
    """Return ``path`` if it is a relative path with ``/`` between safe components.

    Otherwise raises ``InvalidDocument``, saying what is wrong with it.
    """
    problem = path_problem(path)
    if problem:
        raise InsituError("InvalidDocument", f"the path {_show(path)} {problem}")
    return path


def path_problem(path: str) -> str | None:
    """Return what is wrong with a relative path, as the end of a sentence, or None if it is safe."""
    components = path.split("/")
    if len(components) > MAX_DEPTH:
        return f"is deeper than {MAX_DEPTH} folders"
    for component in components:
        problem = _component_problem(component)
        if problem:
            return problem
    return None if len(path.encode()) <= MAX_PATH_BYTES else f"is longer than {MAX_PATH_BYTES} bytes"


def _component_problem(name: str) -> str | None:
    if name in ("", ".", ".."):
        return "has an empty, '.' or '..' part"
    if "/" in name or "\\" in name:
        return "has a slash or backslash"
    if not name.isprintable() or _UNASSIGNED.search(name):
        return "has control, formatting, unassigned or odd blank characters"
    if name != name.strip() or name.endswith("."):
        return "begins or ends with a blank, or ends with a dot"
    if len(name.encode()) > MAX_COMPONENT_BYTES:
        return f"is longer than {MAX_COMPONENT_BYTES} bytes"
    return None


def is_left_out(name: str) -> bool:
    """Return whether a component that an algorithm wrote is left out, because it is hidden or a tool obeys it."""
    return unicodedata.normalize("NFKC", name).startswith(".")


def delivery_problem(name: str) -> str | None:
    """Return what is wrong with a component that a consumer will store, as the end of a sentence, or None."""
    plain = unicodedata.normalize("NFKC", name)
    if problem := _component_problem(name):
        return problem
    if _DEVICE.fullmatch(plain):
        return "is the name of a device on some systems"
    if plain[0] in _ODD_START:
        return "begins with '~', '-' or '=', which a program may take for an option or a formula"
    if any(character in _ODD_CHARACTERS for character in plain):
        return "has a character that some systems cannot store: one of " + " ".join(_ODD_CHARACTERS)
    # A system with short names would open GIT~1 as .git.
    return "is the short name of another file on some systems" if _SHORT_NAME.fullmatch(plain) else None


def collision_key(path: str) -> str:
    """Return a key that is equal for paths that are the same file on some system (case, Unicode form)."""
    return unicodedata.normalize("NFKC", path).casefold()


def first_collision(paths: Iterable[str]) -> tuple[str, str] | None:
    """Return the first two paths that collide on some system, or None.

    They are equal except for case or Unicode form, or one is a file that is also the other's folder.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        key = collision_key(path)
        other = files.get(key) or folders.get(key)
        if other is not None:
            return other, path
        files[key] = path
        components = key.split("/")
        for depth in range(1, len(components)):
            folder = "/".join(components[:depth])
            if folder in files:
                return files[folder], path
            folders.setdefault(folder, path)
    return None


def delivered_bytes(path: str, size: int) -> int:
    """Return the bytes that leave with a file: its content and its path in UTF-8, because a name can carry data too."""
    return size + len(path.encode())


def _show(text: str) -> str:
    return ascii(text[:80])
