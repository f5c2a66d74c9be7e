"""`operator.runtime = kubernetes` starts only if the settings have everything that a cluster needs."""

from pathlib import Path

import pytest

pytest.importorskip("lightkube", reason="pip install './insitu-….whl[cluster]'")

from insitu.domain.errors import InsituError
from insitu.settings.reading import read_settings
from insitu.stack.infrastructure import placement

IMAGE = "registry.example/insitu@sha256:" + "0" * 64
COMPLETE = {
    "operator.runtime": "kubernetes",
    "cluster.image": IMAGE,
    "cluster.registry": "registry.example/",
    "cluster.gateway_url": "http://gateway.insitu.svc:8030/",
}


def test_what_is_set_places_the_pods(tmp_path: Path) -> None:
    chosen = {**COMPLETE, "cluster.node_selector": "disk=fast,zone=", "operator.stop_grace": "3.5"}
    placed = placement(read_settings({}, chosen, tmp_path), "http://127.0.0.1:8030")
    assert placed.pods.reference == IMAGE
    assert placed.registry == "registry.example"
    assert placed.gateway_url == "http://gateway.insitu.svc:8030"
    assert placed.node_selector == {"disk": "fast", "zone": ""}
    assert placed.stop_grace == 4
    assert placed.owned


def test_the_gateway_of_this_process_is_used_where_others_reach_it(tmp_path: Path) -> None:
    chosen = {name: value for name, value in COMPLETE.items() if name != "cluster.gateway_url"}
    assert placement(read_settings({}, chosen, tmp_path), "https://us.example").gateway_url == "https://us.example"
    chosen["gateway.url"] = "https://elsewhere.example"
    assert placement(read_settings({}, chosen, tmp_path), "https://us.example").gateway_url == chosen["gateway.url"]


@pytest.mark.parametrize("missing", ["cluster.image", "cluster.registry", "cluster.gateway_url"])
def test_what_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    chosen = {name: value for name, value in COMPLETE.items() if name != missing}
    with pytest.raises(InsituError, match=missing) as refused:
        placement(read_settings({}, chosen, tmp_path), "http://127.0.0.1:8030")
    assert refused.value.code == "SettingsInvalid"


@pytest.mark.parametrize(
    ("setting", "value"),
    [("image", "registry.example/insitu:latest"), ("node_selector", "fast"), ("pending_deadline", "0")],
)
def test_what_cannot_be_is_refused_when_it_is_read(tmp_path: Path, setting: str, value: str) -> None:
    with pytest.raises(InsituError, match=rf"cluster\.{setting}"):
        read_settings({}, {**COMPLETE, f"cluster.{setting}": value}, tmp_path)
