"""What is in a container image, and whether an algorithm finds there what it needs.

It is a hint that saves money, never a permission: the digest decides what runs.
"""

import ast
import sys
from collections.abc import Collection

from insitu.domain.algorithm import split_entrypoint
from insitu.domain.errors import InsituError
from insitu.domain.wire import WireModel

__all__ = ["PROGRAMS", "ImageContents", "imports_of", "program_of"]

PROGRAMS = frozenset({
    "R", "Rscript", "awk", "bash", "deno", "duckdb", "gawk", "java", "julia", "lua", "node", "octave", "perl", "php",
    "python", "python3", "ruby", "sh", "spark-submit", "sqlite3",
})  # fmt: skip
"""The programmes that start algorithms; only of these an image says that it lacks them."""

LONGEST_SOURCE = 1 << 20
"""Bytes of a script that is looked into."""


class ImageContents(WireModel):
    """What was found in an image when it was built or imported.

    Attributes
    ----------
    programs
        Those of :data:`PROGRAMS` on its PATH.
    python
        Version of its newest Python, ``3.11``; None without one.
    modules
        Top-level Python modules beside the standard library.
    """

    programs: tuple[str, ...] = ()
    python: str | None = None
    modules: tuple[str, ...] = ()

    def lacks(self, program: str | None, imports: Collection[str]) -> tuple[str, ...]:
        """Name what an algorithm needs and the image has not; empty also where that is not known."""
        if program in PROGRAMS and program not in self.programs:
            return (str(program),)
        return tuple(sorted(set(imports) - set(self.modules) - sys.stdlib_module_names))


def program_of(entrypoint: str | None) -> str | None:
    """Return the name of the programme that an entrypoint starts, without its folder; ``sh`` where there is none."""
    try:
        words = split_entrypoint(entrypoint or "sh")
    except InsituError:
        return None  # whoever validates the document says so
    return words[0].rpartition("/")[2] if words else None


def imports_of(entrypoint: str | None, contents: dict[str, bytes]) -> frozenset[str]:
    """Return the modules that a Python script imports from elsewhere in any case: not below ``try`` or ``if``.

    ``contents``: the algorithm's files by name. Nothing where the entrypoint starts no script of these, or one that
    this Python cannot read: it may be of another version.
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
            continue  # where it is missing, the script may go another way
        if isinstance(node, ast.Import):
            found += [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.append(node.module.partition(".")[0])
        waiting += ast.iter_child_nodes(node)
    return found


def _is_main(node: ast.If) -> bool:
    return any(isinstance(part, ast.Constant) and part.value == "__main__" for part in ast.walk(node.test))
