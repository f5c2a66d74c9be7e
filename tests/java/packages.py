"""The Java SDK as Maven builds it, without asking the network for anything."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.parts import ROOT

SDK = ROOT / "sdk" / "java"
REPOSITORY = ROOT / ".cache" / "maven"
BUILT = ROOT / ".cache" / "sdk-java"
PROVIDER = REPOSITORY / "org/bouncycastle/bcprov-jdk18on/1.87/bcprov-jdk18on-1.87.jar"


def mvn(*arguments: str) -> str:
    """Run Maven offline in the SDK's folder and return what it printed; fail with all of it."""
    fixed = ["--offline", "--batch-mode", f"-Dmaven.repo.local={REPOSITORY}"]
    done = subprocess.run(["mvn", *fixed, *arguments], cwd=SDK, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"mvn {' '.join(arguments)}\n{done.stdout}{done.stderr}", pytrace=False)
    return done.stdout


@contextmanager
def building() -> Iterator[None]:
    """Let one test at a time build in the SDK's folder."""
    BUILT.mkdir(parents=True, exist_ok=True)
    with (BUILT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@cache
def class_path() -> str:
    """Build the SDK unless it is there, and return the jars that a program of a user needs."""
    sources = sorted([*(path for path in (SDK / "src" / "main").rglob("*") if path.is_file()), SDK / "pom.xml"])
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    jar = BUILT / f"insitu-{wanted}.jar"
    with building():
        if not jar.exists():
            mvn("--quiet", "-DskipTests", "-Dmaven.javadoc.skip", "-Dspotless.check.skip", "package")
            made = jar.with_suffix(".new")
            shutil.copyfile(SDK / "target" / "insitu-sdk-0.1.0.jar", made)
            made.rename(jar)
    return os.pathsep.join(map(str, (jar, PROVIDER)))


def run_java(source: Path, *arguments: str, shared: Path | None = None, code: int = 0) -> str:
    """Run a program of one file with the SDK and perhaps a class that it shares, and return what it printed."""
    with tempfile.TemporaryDirectory() as classes:
        path = f"{class_path()}{os.pathsep}{classes}"
        if shared is not None:
            subprocess.run(["javac", "-encoding", "UTF-8", "-cp", path, "-d", classes, shared], check=True)
        command = ["java", "-Dfile.encoding=UTF-8", "-cp", path, str(source), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != code:
        pytest.fail(f"{done.stdout}{done.stderr}", pytrace=False)
    return done.stdout
