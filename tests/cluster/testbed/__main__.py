"""``python -m tests.cluster.testbed build|up|down|status [--second-node]``."""

import argparse
import sys
import time

from tests.cluster.testbed import binaries
from tests.cluster.testbed.cluster import Cluster


def main() -> None:
    """Do what the command line says, and say what was done."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.testbed", description=__doc__)
    parser.add_argument("action", choices=("build", "up", "down", "status"))
    parser.add_argument("--second-node", action="store_true", help="start a node in a network namespace as well")
    options = parser.parse_args()
    cluster, began = Cluster(), time.monotonic()
    if options.action == "build":
        binaries.build()
    elif options.action == "up":
        cluster.up(second_node=options.second_node)
        sys.stdout.write(
            f"cluster: ready after {time.monotonic() - began:.1f} s; export KUBECONFIG={cluster.layout.kubeconfig}\n"
        )
    elif options.action == "down":
        cluster.down()
        sys.stdout.write("cluster: gone\n")
    else:
        for name in cluster.processes.names():
            sys.stdout.write(f"{name:28} {'running' if cluster.processes.running(name) else 'ended'}" + "\n")


main()
