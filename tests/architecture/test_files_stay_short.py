"""A reader can keep a file in mind: medians and maxima of length for the package, the tests and the contracts."""

import statistics
from pathlib import Path

from tests.architecture.sources import ROOT, committed, lines, modules, name

MEDIAN, MOST, LONGEST, CONTRACT = 150, 350, 500, 300

# Nobody reads an __init__ with only a docstring, and it would make the median look better than it is.
READ = [path for path in modules() if lines(path) > 3]


def test_half_of_the_modules_have_at_most_150_lines() -> None:
    assert statistics.median(lines(path) for path in READ) <= MEDIAN


def test_nine_of_ten_modules_have_at_most_350_lines() -> None:
    long = [name(path) for path in READ if lines(path) > MOST]
    assert len(long) <= len(READ) / 10, long


def test_no_python_file_has_more_than_500_lines() -> None:
    python = [path for path in committed() if path.suffix == ".py"]
    assert not {name(path): lines(path) for path in python if lines(path) > LONGEST}


def test_no_contract_has_more_than_300_lines() -> None:
    sources: list[Path] = sorted((ROOT / "contracts" / "src").rglob("*.sol"))
    assert not {name(path): lines(path) for path in sources if lines(path) > CONTRACT}
