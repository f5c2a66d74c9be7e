"""An image has everything that a distribution requires."""

import json
import tarfile
from pathlib import Path

import pytest

from insitu.adapters.runtime.oci.images.documents import LAYER_TYPE
from insitu.adapters.runtime.oci.images.host import HostImage, _closure, build_host_image
from insitu.domain.errors import InsituError

PYTHON = Path("/usr/bin/python3")


def installed(folder: Path, name: str, *lines: str, direct_url: str | None = None) -> None:
    """A distribution with one module, as an installer lays it out."""
    (folder / f"{name}.py").write_text("")
    information = folder / f"{name}-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", f"Name: {name}", "Version: 1", *lines]))
    (information / "RECORD").write_text(f"{name}.py,,\n{name}-1.dist-info/METADATA,,\n")
    if direct_url is not None:
        (information / "direct_url.json").write_text(direct_url)


def names_in(layout: Path, tmp_path: Path, *packages: str) -> dict[str, bytes]:
    """Return the files of an image, with the content of small ones."""
    layout.mkdir()
    manifest = build_host_image(HostImage(PYTHON, packages, (tmp_path,)), layout)
    blobs = layout / "blobs" / "sha256"
    document = json.loads((blobs / manifest.digest.removeprefix("sha256:")).read_text())
    (layer,) = (each for each in document["layers"] if each["mediaType"] == LAYER_TYPE)
    with tarfile.open(blobs / layer["digest"].removeprefix("sha256:")) as archive:
        return {
            member.name: archive.extractfile(member).read() if member.isfile() and member.size < 200 else b""  # type: ignore[union-attr]
            for member in archive
        }


def test_an_extra_may_ask_for_another_extra_of_its_own_distribution(tmp_path: Path) -> None:
    installed(
        tmp_path,
        "ours",
        "Provides-Extra: cluster",
        "Provides-Extra: provider",
        "Requires-Dist: always",
        'Requires-Dist: ours[provider] ; extra == "cluster"',
        'Requires-Dist: client ; extra == "cluster"',
        'Requires-Dist: server ; extra == "provider"',
        'Requires-Dist: other ; extra == "unasked"',
    )
    for name in ("always", "client", "server"):
        installed(tmp_path, name)
    found = [each.name for each in _closure(HostImage(PYTHON, ("ours[cluster]",), (tmp_path,)))]
    assert found == ["always", "client", "ours", "server"]
    assert [each.name for each in _closure(HostImage(PYTHON, ("ours",), (tmp_path,)))] == ["always", "ours"]


def test_a_distribution_installed_elsewhere_is_refused(tmp_path: Path) -> None:
    installed(tmp_path, "ours", direct_url=json.dumps({"url": "file:///source", "dir_info": {"editable": True}}))
    (tmp_path / "layout").mkdir()
    with pytest.raises(InsituError, match="ArchiveInvalid: ours is installed as editable"):
        build_host_image(HostImage(PYTHON, ("ours",), (tmp_path,)), tmp_path / "layout")


@pytest.mark.slow
def test_only_the_projects_own_image_resolves_names_and_has_certificates(tmp_path: Path) -> None:
    installed(tmp_path, "insitu", "Requires-Dist: certifi")
    installed(tmp_path, "other", "Requires-Dist: certifi")
    installed(tmp_path, "certifi")
    (tmp_path / "certifi").mkdir()
    (tmp_path / "certifi" / "cacert.pem").write_text("authorities")
    own = names_in(tmp_path / "own", tmp_path, "insitu")
    assert b"hosts: files dns" in own["etc/nsswitch.conf"]
    assert own["etc/ssl/certs/ca-certificates.crt"] == b"authorities"
    another = names_in(tmp_path / "another", tmp_path, "other")
    assert another["etc/nsswitch.conf"].endswith(b"hosts: files\n")
    assert "etc/ssl/certs/ca-certificates.crt" not in another
