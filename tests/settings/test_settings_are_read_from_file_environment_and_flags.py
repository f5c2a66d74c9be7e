"""Settings: file < environment < flag, frozen; every mistake is named together with its place."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from insitu.domain.errors import InsituError
from insitu.domain.hosts import is_loopback
from insitu.settings.capacity import machine_share
from insitu.settings.reading import default_home, read_settings
from insitu.settings.sections import OperatorSettings, Settings


def write(home: Path, text: str) -> Path:
    (home / "config.toml").write_text(text, "utf-8")
    return home


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    settings = read_settings({}, home=tmp_path)
    assert settings.public_url == "http://127.0.0.1:8030"
    assert settings.chain.embedded
    assert settings.chain.depth == 0
    assert settings.deployments == tmp_path / "chain/deployments.json"
    assert settings.metadata.pending_lifetime == 3600
    assert settings.operator.attempts == 2


def test_the_file_is_weaker_than_the_environment_which_is_weaker_than_a_flag(tmp_path: Path) -> None:
    home = write(tmp_path, "[server]\nport = 1\nhost = '127.0.0.2'\npublic_url = 'https://web.example'\n")
    environ = {"INSITU_SERVER__PORT": "2", "INSITU_SERVER__HOST": "127.0.0.3"}
    settings = read_settings(environ, {"server.port": "3"}, home)
    assert (settings.server.port, settings.server.host, settings.public_url) == (3, "127.0.0.3", "https://web.example")


def test_a_remote_chain_waits_for_confirmations_unless_told_otherwise(tmp_path: Path) -> None:
    environ = {"INSITU_CHAIN__RPC_URL": "http://127.0.0.1:1"}
    assert read_settings(environ, home=tmp_path).chain.depth == 5
    assert read_settings(environ, {"chain.confirmations": "0"}, tmp_path).chain.depth == 0


def test_lists_are_written_with_commas_or_as_json(tmp_path: Path) -> None:
    by_commas = read_settings({"INSITU_GATEWAY__DATA_ROOTS": "/data, /more"}, home=tmp_path)
    by_json = read_settings({"INSITU_GATEWAY__DATA_ROOTS": '["/data", "/more"]'}, home=tmp_path)
    assert by_commas.gateway.data_roots == by_json.gateway.data_roots == (Path("/data"), Path("/more"))


def test_offers_are_tables_in_the_file(tmp_path: Path) -> None:
    home = write(tmp_path, '[[gateway.servers]]\nserver_id = "big"\nprice = "5"\ncpu = 2\n')
    (server,) = read_settings({}, home=home).gateway.servers
    assert (server.server_id, server.price, server.cpu) == ("big", "5", 2)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"INSITU_SERVER__PROT": "1"}, ["INSITU_SERVER__PROT", "server.prot", "'port'"]),
        ({"INSITU_SERVR__PORT": "1"}, ["INSITU_SERVR__PORT", "'server'"]),
        ({"INSITU_SERVER__PORT": "http"}, ["INSITU_SERVER__PORT", "server.port", "integer"]),
        ({"INSITU_SERVER__PORT": "70000"}, ["server.port", "65535"]),
        ({"INSITU_SERVER__PUBLIC_URL": "http://example.org"}, ["server.public_url", "https"]),
        ({"INSITU_SERVER__PUBLIC_URL": "ftp://example.org"}, ["server.public_url", "http"]),
        ({"INSITU_GATEWAY__CREATORS": "0x12"}, ["gateway.creators.0"]),
        ({"INSITU_GATEWAY__SERVERS": "[{]"}, ["gateway.servers"]),
        ({"INSITU_HOME__X": "1"}, ["INSITU_HOME__X", "no section 'home'"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_was_probably_meant(
    tmp_path: Path, environ: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(InsituError) as caught:
        read_settings(environ, home=tmp_path)
    assert caught.value.code == "SettingsInvalid"
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("text", ["[server\n", "server = 1\n", "sevrer = 1\n", "[server]\nprot = 1\n"])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    home = write(tmp_path, text)
    with pytest.raises(InsituError, match=r"SettingsInvalid.*config\.toml"):
        read_settings({}, home=home)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InsituError, match=r"config\.toml"):
        read_settings({}, home=tmp_path)


def test_an_unknown_flag_is_named(tmp_path: Path) -> None:
    with pytest.raises(InsituError, match=r"--set server\.prot"):
        read_settings({}, {"server.prot": "1"}, tmp_path)


def test_other_variables_of_the_environment_are_left_alone(tmp_path: Path) -> None:
    assert read_settings({"INSITU_REQUIRE": "oci", "HOME": "/"}, home=tmp_path) == Settings(home=tmp_path)


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = read_settings({}, home=tmp_path)
    with pytest.raises(ValidationError):
        settings.server.port = 1  # type: ignore[misc]


def test_the_data_folder_comes_from_the_environment() -> None:
    assert default_home({"INSITU_HOME": "/srv/insitu"}) == Path("/srv/insitu")
    assert default_home({"XDG_DATA_HOME": "/x"}) == Path("/x/insitu")
    assert default_home({}).name == "insitu"


def test_executions_get_four_fifths_of_the_machine_unless_told_otherwise(tmp_path: Path) -> None:
    capacity = machine_share(OperatorSettings(), tmp_path / "not" / "yet")
    assert 0 < capacity.cpu < len(os.sched_getaffinity(0))
    assert 0 < capacity.memory < os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert capacity.disk > 0
    share = machine_share(OperatorSettings(cpu=3, memory=5, disk=7), tmp_path)
    assert (share.cpu, share.memory, share.disk) == (3, 5, 7)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.0.1", "::1", "a.localhost"])
def test_this_machine_needs_no_https(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["example.org", "10.0.0.1", "localhost.example.org", "0.0.0.0"])
def test_other_machines_do(host: str) -> None:
    assert not is_loopback(host)


@given(name=st.from_regex(r"[A-Z_]{1,12}__[A-Z_]{1,12}", fullmatch=True), value=st.text(max_size=20))
def test_no_environment_variable_makes_anything_but_settings_or_a_named_error(name: str, value: str) -> None:
    try:
        settings = read_settings({f"INSITU_{name}": value}, home=Path("/nowhere"))
    except InsituError as error:
        assert error.code == "SettingsInvalid"
    else:
        assert settings.home == Path("/nowhere")


def test_proxies_are_networks(tmp_path: Path) -> None:
    proxies = read_settings({"INSITU_SERVER__PROXIES": "10.0.0.0/8, ::1"}, home=tmp_path).server.proxies
    assert [str(proxy) for proxy in proxies] == ["10.0.0.0/8", "::1/128"]
    with pytest.raises(InsituError, match="SettingsInvalid"):
        read_settings({"INSITU_SERVER__PROXIES": "proxy.example"}, home=tmp_path)
