"""The container that holds a pod's namespaces: as Kubernetes' own, it waits for its end and reaps orphans meanwhile."""

import subprocess
from pathlib import Path

from tests.cluster.testbed.node import PAUSE
from tests.cluster.testbed.oci import write_image

SOURCE = """\
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void end(int signal) { (void)signal; _exit(0); }
static void reap(int signal) { (void)signal; while (waitpid(-1, 0, WNOHANG) > 0); }
int main(void) { signal(SIGTERM, end); signal(SIGINT, end); signal(SIGCHLD, reap); for (;;) pause(); }
"""


def write_pause_image(archive: Path) -> None:
    """Compile the program and write it as an OCI archive, unless the archive is there."""
    if archive.exists():
        return
    program = archive.with_suffix(".bin")
    compiler = ["cc", "-static", "-Os", "-x", "c", "-", "-o", program]
    subprocess.run(compiler, input=SOURCE, text=True, check=True)
    write_image(archive, PAUSE, program, "pause", "65535:65535")
