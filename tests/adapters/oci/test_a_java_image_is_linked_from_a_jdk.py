"""`image build --java`: a runtime linked from this machine's JDK, in which Java starts sealed and keeps its limits."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from insitu.adapters.runtime.oci.images.java import build_java_image, find_jdk
from insitu.adapters.runtime.oci.images.store import ImageStore, StoredImage
from insitu.domain.errors import InsituError
from insitu.domain.plan import Limits
from tests.ports.runtime.runtime_place import Ended, Place

SERVER = Limits(
    server_id="java",
    cpu_millis=500,
    memory_bytes=128 << 20,
    disk_bytes=16 << 20,
    log_bytes=1 << 20,
    max_execution_seconds=120,
)

LIMITS = """
public class Limits {
    public static void main(String[] arguments) {
        Runtime machine = Runtime.getRuntime();
        System.out.println(machine.availableProcessors() + " " + (machine.maxMemory() >> 20));
    }
}
"""

GLUTTON = """
public class Glutton {
    public static void main(String[] arguments) {
        java.util.List<byte[]> kept = new java.util.ArrayList<>();
        while (true) kept.add(new byte[1 << 20]);
    }
}
"""

NATIVE = """
public class Native {
    public static void main(String[] arguments) throws Exception {
        for (String name : new String[] {"libdl.so.2", "libpthread.so.0", "librt.so.1", "libstdc++.so.6"}) {
            System.load("/usr/lib/" + arguments[0] + "-linux-gnu/" + name);
        }
        Class.forName("java.beans.Introspector");
        Class.forName("com.sun.security.auth.UnixPrincipal");
        System.out.println("loaded");
    }
}
"""


WHO = """
public class Who {
    public static void main(String[] arguments) throws Exception {
        String user = new com.sun.security.auth.module.UnixSystem().getUsername();
        String host = java.net.InetAddress.getLocalHost().getHostName();
        String home = System.getProperty("user.home");
        System.out.println(user + " " + System.getProperty("user.name") + " " + home + " " + host);
    }
}
"""


@pytest.fixture(scope="module")
def java_images(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    return ImageStore(tmp_path_factory.mktemp("java"))


@pytest.fixture(scope="module")
async def java_image(java_images: ImageStore) -> StoredImage:
    return await java_images.build_java("insitu/java", "test")


@pytest.fixture
async def place(java_images: ImageStore, java_image: StoredImage, tmp_path: Path) -> AsyncIterator[Place]:
    (tmp_path / "data").mkdir()
    made = Place(tmp_path, java_image, java_images)
    yield made
    await made.clean()
    assert await made.left() == []


async def ran(place: Place, name: str, source: str, *words: str) -> Ended:
    argv = ("java", name, *words)
    return await place.compute({name: source}, argv=argv, limits=SERVER, seconds=60.0)


def fake_jdk(folder: Path, says: str) -> Path:
    """A JDK whose jlink only says something and fails."""
    for part in ("bin", "lib"):
        (folder / part).mkdir(parents=True)
    (folder / "lib/modules").write_text("")
    (folder / "bin/jlink").write_text(f"#!/bin/sh\necho '{says}'\nexit 1\n")
    (folder / "bin/jlink").chmod(0o755)
    return folder


def test_without_a_jdk_the_error_says_which_package_has_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InsituError, match=r"ExtraMissing: there is no JDK .* install one \(Debian: openjdk-17-jdk-"):
        find_jdk(None)


def test_a_runtime_without_jlink_is_not_taken_for_a_jdk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InsituError, match=f"{tmp_path} is no JDK, it lacks bin/jlink"):
        find_jdk(tmp_path)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(InsituError, match=f"{tmp_path} is no JDK, it lacks bin/jlink"):
        find_jdk(None)


def test_a_jdk_that_links_nothing_is_named_with_what_it_said(tmp_path: Path) -> None:
    jdk = fake_jdk(tmp_path / "jdk", "Error: Module java.se not found")
    with pytest.raises(InsituError) as refused:
        build_java_image(find_jdk(jdk), tmp_path / "layout")
    assert refused.value.code == "ExtraMissing"
    assert "without jmods (Error: Module java.se not found): install one" in refused.value.detail


@pytest.mark.slow
@pytest.mark.needs("java", "linux", "oci", "filesystems")
async def test_building_it_again_links_nothing(java_images: ImageStore, java_image: StoredImage) -> None:
    assert await java_images.build_java("insitu/java", "test") == java_image
    assert java_image.environment["JAVA_HOME"] == "/opt/java"
    assert java_image.contents is not None
    assert "java" in java_image.contents["programs"]


@pytest.mark.slow
@pytest.mark.needs("java", "linux", "oci", "filesystems")
async def test_heap_and_processors_are_those_of_the_server(place: Place) -> None:
    ended = await ran(place, "Limits.java", LIMITS)
    assert ended.status.ok, ended.log
    processors, heap = ended.log.split()[-2:]
    assert processors == "1"
    # A serial collector does not count one of its survivor spaces.
    assert 0.6 * 128 < int(heap) <= 0.7 * 128


@pytest.mark.slow
@pytest.mark.needs("java", "linux", "oci", "filesystems", "cgroups")
async def test_a_programme_that_fills_its_heap_says_so_and_is_not_killed(place: Place) -> None:
    ended = await ran(place, "Glutton.java", GLUTTON)
    assert ended.status.reason is not None
    assert (ended.status.reason.code, ended.status.exit_code) == ("AlgorithmFailed", 1)
    assert "java.lang.OutOfMemoryError: Java heap space" in ended.log
    assert "Glutton.main" in ended.log


@pytest.mark.slow
@pytest.mark.needs("java", "linux", "oci", "filesystems")
async def test_who_gives_a_heap_on_the_command_line_gets_that_one(place: Place) -> None:
    argv = ("java", "-Xmx32m", "Limits.java")
    ended = await place.compute({"Limits.java": LIMITS}, argv=argv, limits=SERVER, seconds=60.0)
    assert int(ended.log.split()[-1]) <= 32


@pytest.mark.slow
@pytest.mark.needs("java", "linux", "oci", "filesystems")
async def test_native_code_of_jars_finds_the_parts_of_the_c_library(place: Place) -> None:
    machine = {"amd64": "x86_64", "arm64": "aarch64"}[place.image.architecture]
    ended = await ran(place, "Native.java", NATIVE, machine)
    assert ended.log.split()[-1] == "loaded", ended.log


@pytest.mark.slow
@pytest.mark.needs("java", "linux", "oci", "filesystems")
async def test_a_jvm_knows_its_user_and_its_host(place: Place) -> None:
    ended = await ran(place, "Who.java", WHO)
    assert ended.log.splitlines()[-1] == "sandbox sandbox /tmp sandbox", ended.log
