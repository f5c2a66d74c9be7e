"""The sealed runner of one machine: algorithms in OCI containers without a network, next to read-only data.

One generator of ``config.json``, two runtimes (crun, runc), two privilege modes (root, rootless). Everything that a run
leaves is in its folder, so a restarted process sees every run as it is.
"""
