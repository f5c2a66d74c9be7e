"""Whether an image has what an algorithm needs, as far as that is known before anybody pays."""

import pytest

from insitu.domain.image_contents import ImageContents, imports_of, program_of

PYTHON = ImageContents(programs=("python3", "sh"), python="3.11", modules=("numpy", "pandas"))
JAVA = ImageContents(programs=("java", "sh"))


@pytest.mark.parametrize(
    ("entrypoint", "program"),
    [
        ("python3 count.py", "python3"),
        ("/usr/bin/Rscript count.R", "Rscript"),
        (None, "sh"),
        ("'unclosed", None),
    ],
)
def test_an_entrypoint_names_a_program(entrypoint: str | None, program: str | None) -> None:
    assert program_of(entrypoint) == program


def test_an_image_lacks_a_program_or_a_module_and_says_which() -> None:
    assert JAVA.lacks("python3", ()) == ("python3",)
    assert PYTHON.lacks("python3", {"pandas", "json", "scipy", "polars"}) == ("polars", "scipy")
    assert PYTHON.lacks("python3", {"pandas"}) == ()
    assert PYTHON.lacks("count", ()) == (), "nothing is said about a program that nobody looked for"
    assert PYTHON.lacks(None, ()) == ()


def imports(source: str, *others: str) -> set[str]:
    contents = {"count.py": source.encode(), **dict.fromkeys(others, b"")}
    return set(imports_of("python3 count.py --fast", contents))


def test_what_a_script_always_imports_is_found() -> None:
    source = (
        "import pandas as pd, os.path\nfrom numpy.linalg import norm\ndef f():\n    import scipy\nfrom . import x\n"
    )
    assert imports(source) == {"pandas", "os", "numpy", "scipy"}
    assert imports("if __name__ == '__main__':\n    import pandas\n") == {"pandas"}


def test_what_may_be_missing_and_what_it_brings_along_is_not_asked_for() -> None:
    assert imports("try:\n    import polars\nexcept ImportError:\n    polars = None\n") == set()
    assert imports("import sys\nif sys.version_info < (3, 11):\n    import tomli\n") == {"sys"}
    assert imports("import tools, own.part\n", "tools.py", "own/part.py") == set()


@pytest.mark.parametrize("source", ["print 'old'\n", "import pandas\n" + "(" * 5000, "import pandas\0"])
def test_what_cannot_be_read_is_not_judged(source: str) -> None:
    assert imports(source) == set()


def test_only_scripts_of_python_are_looked_into() -> None:
    assert imports_of("sh count.py", {"count.py": b"import pandas"}) == frozenset()
    assert imports_of("python3 -m tool", {"count.py": b"import pandas"}) == frozenset()
    assert imports_of(None, {"compute-entrypoint.sh": b"import pandas"}) == frozenset()
