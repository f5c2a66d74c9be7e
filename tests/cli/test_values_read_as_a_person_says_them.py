"""Times, sizes and tables as text."""

from datetime import UTC, datetime, timedelta

import pytest

from insitu.cli.render import ago, cut, table, width
from insitu.domain.readable import duration, size

NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("distance", "said"),
    [
        (timedelta(seconds=1), "now"),
        (timedelta(seconds=40), "40 s ago"),
        (timedelta(minutes=3, seconds=59), "3 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=1, hours=2), "26 h ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=90), "2025-11-02"),
        (timedelta(hours=-2), "in 2 h"),
    ],
)
def test_a_time_is_shown_by_its_distance(distance: timedelta, said: str) -> None:
    assert ago(NOW - distance, NOW) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0004, "0 ms"),
        (0.85, "850 ms"),
        (1, "1 s"),
        (2.34, "2.3 s"),
        (61, "1 min 1 s"),
        (7200, "2 h"),
        (3 * 86400, "3 days"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345_678, "12.3 MB"), (10**18, "1000.0 PB")]
)
def test_a_size_is_in_powers_of_a_thousand(number: int, said: str) -> None:
    assert size(number) == said


def test_columns_align_also_where_characters_are_wide() -> None:
    drawn = table(("NAME", "PRICE"), [("東京", "1"), ("flights", "10")])
    assert drawn == ["NAME     PRICE", "東京     1", "flights  10"]


def test_only_the_first_column_is_cut_to_fit_a_terminal() -> None:
    drawn = table(("NAME", "DID"), [("a long name of a data set", "did:nv:0123456789")], columns=32)
    assert drawn[1] == "a long name…  did:nv:0123456789" or drawn[1].endswith("did:nv:0123456789")
    assert width(drawn[1]) <= 32


def test_a_cut_text_says_that_something_is_missing() -> None:
    assert cut("東京都", 5) == "東京…"
    assert cut("short", 5) == "short"
