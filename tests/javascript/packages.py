"""The JavaScript SDK as npm would install it."""

import fcntl
import hashlib
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.parts import ROOT

SDK = ROOT / "sdk" / "js"


def npm(*arguments: str) -> str:
    """Run npm in the SDK's folder and return what it printed; fail with all of it."""
    done = subprocess.run(["npm", *arguments], cwd=SDK, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"npm {' '.join(arguments)}\n{done.stdout}{done.stderr}", pytrace=False)
    return done.stdout


def install_sdk(folder: Path) -> set[str]:
    """Install the package that npm would publish, with what it depends on, and return the names of its files."""
    build_sdk()
    packed = json.loads(npm("pack", "--json", "--ignore-scripts", "--pack-destination", str(folder)))[0]
    installed = folder / "node_modules" / "insitu"
    shutil.unpack_archive(folder / packed["filename"], folder)
    installed.parent.mkdir()
    (folder / "package").rename(installed)
    shutil.copytree(SDK / "node_modules" / "@noble", installed.parent / "@noble")
    return {entry["path"] for entry in packed["files"]}


def run_node(folder: Path, program: str, *arguments: str) -> str:
    """Run a program where the SDK is installed, and return what it printed."""
    (folder / "program.mjs").write_text(program, "utf-8")
    command = ["node", "program.mjs", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"{done.stdout}{done.stderr}", pytrace=False)
    return done.stdout


@cache
def build_sdk() -> None:
    """Compile the SDK into ``dist`` unless it is there: tests of other processes must not find it half made."""
    stamp = ROOT / ".cache" / "sdk-js.stamp"
    stamp.parent.mkdir(exist_ok=True)
    with stamp.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sources = sorted([*(SDK / "src").rglob("*.ts"), *SDK.glob("*.json")])
        wanted = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
        is_built = (SDK / "dist/index.js").exists() and stamp.exists() and stamp.read_text() == wanted
        if not is_built:
            npm("run", "--silent", "build")
            stamp.write_text(wanted)
