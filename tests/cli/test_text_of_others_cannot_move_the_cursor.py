"""Names, logs and details come from strangers, and a terminal must not obey them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insitu.cli.render import lines, name_of, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;owned\x07title", "title"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r\x1b\\dcs", "dcs"),
        ("half \x1b[", "half \\x1b["),
        ("bell\x07", "bell\\x07"),
        ("gpj.\u202etxt.exe", "gpj.\\u202etxt.exe"),
        ("a\rb", "a\\rb"),
        ("\x9b31m", "\\x9b31m"),
        ("straße, 東京, é", "straße, 東京, é"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_escape_sequences_vanish_and_other_controls_are_shown(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_progress_bar_of_an_algorithm_becomes_lines() -> None:
    assert lines("10 %\r20 %\r\ndone\n") == ["10 %", "20 %", "done"]


def test_a_name_of_nothing_is_a_dash() -> None:
    assert name_of(" \n".strip()) == "–"


@given(st.text())
def test_no_text_brings_a_control_character_through(text: str) -> None:
    assert not {character for character in plain(text) if ord(character) < 32 or 127 <= ord(character) < 160} - {"\t"}


@given(st.text())
def test_making_text_plain_twice_changes_nothing_more(text: str) -> None:
    assert plain(plain(text)) == plain(text)
