"""The floor: the same image and the same script under the bare OCI runtime, with nothing of ours around it."""

import json
import shutil
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

SCRIPT = "import time; print(time.clock_gettime(time.CLOCK_MONOTONIC), flush=True)"


def bare_start(rootfs: Path, runs: int) -> tuple[list[float], list[float]]:
    """Run the image with runc; return milliseconds to the first instruction, and of the whole run."""
    runtime = shutil.which("runc", path="/usr/sbin:/usr/bin:/sbin:/bin") or "runc"
    first, whole = [], []
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder)
        (bundle / "config.json").write_text(json.dumps(_config(rootfs)))
        for _ in range(runs):
            began = time.clock_gettime(time.CLOCK_MONOTONIC)
            done = subprocess.run(
                [runtime, "run", "--bundle", bundle, f"bench-{uuid.uuid4().hex[:8]}"],
                capture_output=True,
                text=True,
                check=True,
            )
            whole.append((time.clock_gettime(time.CLOCK_MONOTONIC) - began) * 1000)
            first.append((float(done.stdout) - began) * 1000)
    return first, whole


def _config(rootfs: Path) -> dict[str, object]:
    return {
        "ociVersion": "1.0.2",
        "process": {
            "args": ["python3", "-c", SCRIPT],
            "cwd": "/",
            "env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
            "user": {"uid": 0, "gid": 0},
            "noNewPrivileges": True,
        },
        "root": {"path": str(rootfs), "readonly": True},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},
        ],
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "network")]},
    }
