"""Without settings, free compute is limited by how long executions may last; on a development chain not at all."""

from pathlib import Path

import pytest

from insitu.settings.reading import read_settings
from insitu.stack.offers import gateway_configuration

ELSEWHERE = {"chain.rpc_url": "https://rpc.example.org"}
LONG = '[[gateway.servers]]\nserver_id = "small"\n[[gateway.servers]]\nserver_id = "large"\nmax_execution_time = 7200\n'


def caps(folder: Path, flags: dict[str, str]) -> tuple[int | None, ...]:
    return gateway_configuration(read_settings({}, flags, folder), "http://here", "http://here/{did}").free_compute


@pytest.mark.parametrize(
    ("file", "flags", "expected"),
    [
        ("", {}, (None, None, None)),
        ("", {"gateway.free_compute_of_strangers": "5"}, (None, None, 5)),
        ("", ELSEWHERE, (21_600, 43_200, 172_800)),
        (LONG, ELSEWHERE, (43_200, 86_400, 345_600)),
        (LONG, {**ELSEWHERE, "gateway.free_compute_per_consumer": "9"}, (43_200, 9, 345_600)),
    ],
)
def test_caps_are_chosen_or_follow_the_longest_execution(
    tmp_path: Path, file: str, flags: dict[str, str], expected: tuple[int | None, ...]
) -> None:
    (tmp_path / "config.toml").write_text(file)
    assert caps(tmp_path, flags) == expected
