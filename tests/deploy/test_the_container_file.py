"""deploy/Containerfile, built without a daemon: the same packages as `insitu image build` takes, and a service answers.

No registry is needed: the base is made from this machine's Debian packages. pip uses its ordinary index.
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from urllib.error import URLError

import anyio
import pytest

from insitu.adapters.chain.embedded import EmbeddedChain
from insitu.adapters.runtime.oci.images.store import ImageStore
from tests.cluster.images import SITE_PACKAGES
from tests.cluster.programmes import Programmes
from tests.cluster.sites import free_port
from tests.doubles.chain import running_chain
from tests.parts import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.needs("buildah", "oci", "root", "chain")]

EXTRAS = "cluster,marketplace,object-store,postgresql"
FOR_PIP = ("PIP_INDEX_URL", "PIP_CERT")
DISTRIBUTION = re.compile(r"([^/]+)-([^/-]+)\.dist-info$")


def base() -> Programmes:
    """Python, its venv module with the wheels that it installs, a shell, and libraries that every Debian has."""
    python = Path("/usr/bin/python3").resolve().name
    names = ("cp", "env", "grep", "head", "python3", python, "uname")
    programmes = [Path("/usr/bin") / name for name in names]
    listed = subprocess.run(
        ["dpkg", "-L", "libc6", "libgcc-s1", "libstdc++6"], capture_output=True, text=True, check=True
    )
    libraries = (Path(line) for line in listed.stdout.splitlines() if ".so." in line)
    programmes += [path.parent.resolve() / path.name for path in libraries if path.is_file()]
    folders = (Path("/usr/lib") / python, Path("/usr/share/python-wheels"), Path("/etc/ssl/certs"))
    return Programmes(
        "base",
        {str(path).lstrip("/"): path for path in programmes},
        folders,
        {"etc/passwd": b"root:x:0:0::/:/bin/sh\n"},
    )


class Buildah:
    """buildah with its own storage, without a daemon."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str | Path) -> str:
        storage = ["--storage-driver=vfs", f"--root={self.folder / 'root'}", f"--runroot={self.folder / 'run'}"]
        done = subprocess.run(["buildah", *storage, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout.strip()


@pytest.fixture(scope="module")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The files of the image that the Containerfile makes."""
    folder = tmp_path_factory.mktemp("container")
    buildah = Buildah(folder)
    layout = folder / "base"
    digest = base().build(layout)
    size = (layout / "blobs" / "sha256" / digest.removeprefix("sha256:")).stat().st_size
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": size}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    image = buildah("pull", "--quiet", f"oci:{layout}")
    given = [f"--build-arg={name}={os.environ[name]}" for name in FOR_PIP if name in os.environ]
    options = [f"--build-arg=BASE={image}", f"--build-arg=EXTRAS={EXTRAS}", *given, "--isolation=chroot"]
    built = buildah("build", "--quiet", "--file=deploy/Containerfile", *options, ".")
    container = buildah("from", built)
    assert json.loads(buildah("inspect", container))["OCIv1"]["config"]["User"] == "65532:65532"
    yield Path(buildah("mount", container))
    buildah("umount", container)
    buildah("rm", "--all")
    buildah("rmi", "--all", "--force")


def distributions(folder: Path) -> dict[str, str]:
    found = (DISTRIBUTION.match(path.name) for path in folder.glob("*.dist-info"))
    return {match[1].lower().replace("-", "_").replace(".", "_"): match[2] for match in found if match}


def test_both_ways_to_the_image_take_the_same_packages(rootfs: Path, tmp_path: Path) -> None:
    (packages,) = rootfs.glob("opt/insitu/lib/python3*/site-packages")
    wheel = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--offline"]
    subprocess.run([*wheel, f"--target={tmp_path / 'insitu'}", str(ROOT)], check=True)
    store = ImageStore(tmp_path / "images")
    building = partial(store.build_from_host, site_packages=[tmp_path / "insitu", SITE_PACKAGES])
    image = anyio.run(building, [f"insitu[{EXTRAS}]"], "insitu/insitu", "1")
    inside = anyio.run(store.rootfs, image.digest)
    (named,) = {path.parent for path in inside.rglob("insitu-*.dist-info")}
    assert distributions(packages) == distributions(named)
    locked = dict(
        re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\\n]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    )
    versions = {name.lower().replace("-", "_").replace(".", "_"): version for name, version in locked.items()}
    assert {name: version for name, version in distributions(packages).items() if name != "insitu"}.items() <= (
        versions.items()
    )


@pytest.fixture
async def chain(tmp_path: Path) -> AsyncIterator[EmbeddedChain]:
    async with running_chain(tmp_path / "chain") as running:
        yield running


def bundle(folder: Path, rootfs: Path, home: Path, *words: str) -> Path:
    """An OCI bundle of the image as the manifests run it: its user, nothing to write on but a home and /tmp."""
    folder.mkdir()
    subprocess.run(["runc", "spec"], cwd=folder, check=True)
    spec = json.loads((folder / "config.json").read_text())
    spec["root"] = {"path": str(rootfs), "readonly": True}
    spec["process"] |= {"terminal": False, "args": list(words), "cwd": "/", "user": {"uid": 65532, "gid": 65532}}
    spec["process"]["env"] = ["PATH=/opt/insitu/bin:/usr/bin", "INSITU_HOME=/var/lib/insitu", "LANG=C.UTF-8"]
    spec["mounts"] += [
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/var/lib/insitu", "type": "bind", "source": str(home), "options": ["bind", "rw"]},
    ]
    spec["linux"]["namespaces"] = [
        namespace for namespace in spec["linux"]["namespaces"] if namespace["type"] != "network"
    ]
    (folder / "config.json").write_text(json.dumps(spec))
    return folder


async def test_a_service_of_the_image_answers(rootfs: Path, chain: EmbeddedChain, tmp_path: Path) -> None:
    await anyio.to_thread.run_sync(serve_and_ask, rootfs, chain.url, tmp_path)


def serve_and_ask(rootfs: Path, rpc_url: str, tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    (home / "chain").mkdir(parents=True)
    (home / "chain" / "deployments.json").write_bytes((tmp_path / "chain" / "deployments.json").read_bytes())
    for path in (home, *home.rglob("*")):
        os.chown(path, 65532, 65532)
    name = f"insitu-image-{port}"
    asked = bundle(tmp_path / "asked", rootfs, home, "insitu", "--version")
    said = subprocess.run(
        ["runc", "run", "--bundle", asked, f"{name}-version"], capture_output=True, text=True, check=True
    )
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert version[1] in said.stdout
    flags = (f"chain.rpc_url={rpc_url}", "chain.confirmations=0", f"server.port={port}")
    words = [word for flag in flags for word in ("--set", flag)]
    served = bundle(tmp_path / "served", rootfs, home, "python3", "-m", "insitu", *words, "serve", "metadata")
    process = subprocess.Popen(["runc", "run", "--bundle", served, name])
    try:
        until = time.monotonic() + 60
        while not answers(f"http://127.0.0.1:{port}/healthz"):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        assert answers(f"http://127.0.0.1:{port}/api/v1/metadata/health")
    finally:
        subprocess.run(["runc", "kill", name, "TERM"], check=True)
        assert process.wait(30) == 0


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except URLError:
        return False
