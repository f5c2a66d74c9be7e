"""What is in a container image, and whether it has what an algorithm needs.

This is a hint that saves money and never a permission: the digest decides what runs.
"""

import ast
import sys
from collections.abc import Collection

from insitu.domain.algorithm import split_entrypoint
from insitu.domain.errors import InsituError
from insitu.domain.wire import WireModel

PROGRAMS = frozenset({
    "R", "Rscript", "awk", "bash", "deno", "duckdb", "gawk", "java", "julia", "lua", "node", "octave", "perl", "php",
    "python", "python3", "ruby", "sh", "spark-submit", "sqlite3",
})  # fmt: skip
"""The programs that start algorithms. Only these are reported as missing from an image."""

LONGEST_SOURCE = 1 << 20
"""The longest script that is examined, in bytes."""


class ImageContents(WireModel):
    """What was found in an image when it was built or imported.

    Attributes
    ----------
    programs
        Those of :data:`PROGRAMS` on its PATH.
    python
        Version of its newest Python, like ``3.11``, or None.
    modules
        Top-level Python modules outside the standard library.
    """

    programs: tuple[str, ...] = ()
    python: str | None = None
    modules: tuple[str, ...] = ()

    def lacks(self, program: str | None, imports: Collection[str]) -> tuple[str, ...]:
        """Return what an algorithm needs and the image lacks. Empty too if that is not known."""
        if program in PROGRAMS and program not in self.programs:
            return (str(program),)
        return tuple(sorted(set(imports) - set(self.modules) - sys.stdlib_module_names))


def program_of(entrypoint: str | None) -> str | None:
    """Return the name of the program that an entrypoint starts, without its folder; ``sh`` without an entrypoint."""
    try:
        words = split_entrypoint(entrypoint or "sh")
    except InsituError:
        return None  # validation reports it
    return words[0].rpartition("/")[2] if words else None


def imports_of(entrypoint: str | None, contents: dict[str, bytes]) -> frozenset[str]:
    """Return the modules that a Python script always imports from elsewhere, that is not below ``try`` or ``if``.

    ``contents`` has the algorithm's files by name. The answer is empty if the entrypoint starts none of them, or a
    script that this Python cannot parse because it is for another version.
    """
    words = split_entrypoint(entrypoint or "")
    if len(words) < 2 or not words[0].rpartition("/")[2].startswith("python"):
        return frozenset()
    source = contents.get(words[1], b"")
    if len(source) > LONGEST_SOURCE:
        return frozenset()
    try:
        tree = ast.parse(source)
        found = frozenset(_imports(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    return found - {name.partition("/")[0].removesuffix(".py") for name in contents}


def _imports(tree: ast.AST) -> list[str]:
    found: list[str] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Try | ast.TryStar) or (isinstance(node, ast.If) and not _is_main(node)):
            continue  # the script may work without it
        if isinstance(node, ast.Import):
            found += [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.append(node.module.partition(".")[0])
        waiting += ast.iter_child_nodes(node)
    return found


def _is_main(node: ast.If) -> bool:
    return any(isinstance(part, ast.Constant) and part.value == "__main__" for part in ast.walk(node.test))
