"""Documents have times in whole seconds, in UTC with Z."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.domain.errors import InsituError
from insitu.domain.timestamps import format_time, is_document_time, parse_time

moments = st.datetimes(datetime(1970, 1, 2), datetime(2999, 1, 1), timezones=st.timezones())  # noqa: DTZ001


@given(moments)
def test_a_moment_reads_back_to_the_second(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment.astimezone(UTC).replace(microsecond=0)


def test_a_moment_elsewhere_is_written_in_utc() -> None:
    summer = timezone(timedelta(hours=2))
    assert format_time(datetime(2019, 4, 9, 21, 2, 11, 999, tzinfo=summer)) == "2019-04-09T19:02:11Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2019-04-09",
        "2019-04-09T19:02:11",
        "2019-04-09T19:02:11+00:00",
        "2019-04-09T19:02:11.5Z",
        "2019-13-09T19:02:11Z",
        "2019-02-29T19:02:11Z",
        "2019-04-09T25:02:11Z",
        "2019-04-09T19:02:11Z\n",
        "٢٠١٩-04-09T19:02:11Z",
    ],
)
def test_other_texts_are_not_times_of_a_document(text: str) -> None:
    assert not is_document_time(text)
    with pytest.raises(InsituError, match="InvalidDocument"):
        parse_time(text)


@given(st.text(max_size=25) | st.none() | st.integers())
def test_any_value_is_a_time_or_not(value: object) -> None:
    assert is_document_time(value) in (True, False)
