"""Building what is built and unpacking what Debian has: nothing is installed that would start by itself."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.cluster.testbed.layout import BIN, PACKAGES

SOURCES = Path(__file__).parent / "binaries"
KUBERNETES = "v1.34.4"
COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl")
DEBIAN = ("containerd", "containernetworking-plugins", "docker-registry")
NFT = (
    *("nftables", "libnftables1", "libnftnl11", "libmnl0", "libxtables12"),
    *("libjansson4", "libedit2", "libbsd0", "libmd0", "libgmp10"),
)
"""nft and its libraries, for machines that have none installed."""
VERSION = "k8s.io/component-base/version"


class ToolMissingError(RuntimeError):
    """Something that the cluster is built with is not on this machine; the message says how to get it."""


def build() -> None:
    """Build and unpack whatever is missing; a second call takes milliseconds."""
    _compile(
        "kubernetes",
        f"-s -w -X {VERSION}.gitVersion={KUBERNETES} -X {VERSION}.gitMajor=1 -X {VERSION}.gitMinor=34",
    )
    _compile("etcd", "-s -w")
    _compile("coredns", "-s -w", CGO_ENABLED="0")
    for name in COMPONENTS:
        link = BIN / name
        if not link.is_symlink():
            link.symlink_to("kubernetes")
    for package in DEBIAN:
        _unpack(package)
    for name in ("runc", "nsenter", "ip", "mkfs.ext4"):
        tool(name)
    nft()


def component(name: str) -> Path:
    """Return the path of a built program."""
    return BIN / name


def tool(name: str) -> Path:
    """Return a program of Debian: unpacked here, or installed. Raises ``ToolMissingError``."""
    places = [
        PACKAGES / "usr/bin",
        PACKAGES / "usr/sbin",
        *map(Path, os.get_exec_path()),
        Path("/usr/sbin"),
        Path("/sbin"),
    ]
    for folder in places:
        if os.access(folder / name, os.X_OK):
            return folder / name
    raise ToolMissingError(f"{name} is missing: apt-get install {name.replace('mkfs.ext4', 'e2fsprogs')}")


def nft() -> Path:
    """Return nft: the one that is installed, or one that is unpacked here with its libraries."""
    for folder in (*map(Path, os.get_exec_path()), Path("/usr/sbin"), Path("/sbin")):
        if os.access(folder / "nft", os.X_OK):
            return folder / "nft"
    program = BIN / "nft"
    if program.exists():
        return program
    for package in NFT:
        _unpack(package)
    (libraries,) = {path.parent for path in PACKAGES.glob("usr/lib/*/libnftables.so.1")}
    program.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={libraries} exec {PACKAGES}/usr/sbin/nft "$@"\n')
    program.chmod(0o755)
    return program


def cni_plugins() -> Path:
    """Return the folder of the packaged network plugins."""
    unpacked = PACKAGES / "usr/lib/cni"
    return unpacked if unpacked.is_dir() else Path("/usr/lib/cni")


def _compile(name: str, flags: str, **variables: str) -> None:
    source = SOURCES / name
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(source.iterdir()))).hexdigest()
    target, mark = BIN / name, BIN / f"{name}.stamp"
    if target.exists() and mark.exists() and mark.read_text() == stamp:
        return
    if shutil.which("go") is None:
        raise ToolMissingError("go is missing: install Go 1.26 or newer")
    BIN.mkdir(parents=True, exist_ok=True)
    print(f"cluster: building {name} from its Go module; the first time takes minutes", flush=True)  # noqa: T201
    command = ["go", "build", "-trimpath", "-ldflags", flags, "-o", target, "."]
    subprocess.run(command, cwd=source, check=True, env={**os.environ, **variables})
    mark.write_text(stamp)


def _unpack(package: str) -> None:
    mark = PACKAGES / f"{package}.unpacked"
    if mark.exists():
        return
    PACKAGES.mkdir(parents=True, exist_ok=True)
    print(f"cluster: unpacking the Debian package {package}", flush=True)  # noqa: T201
    subprocess.run(["apt-get", "download", "-qq", package], cwd=PACKAGES, check=True)
    for archive in PACKAGES.glob(f"{package}_*.deb"):
        subprocess.run(["dpkg-deb", "-x", archive.name, "."], cwd=PACKAGES, check=True)
        archive.unlink()
    mark.touch()
