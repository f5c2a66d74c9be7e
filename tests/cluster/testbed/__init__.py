"""A real Kubernetes on one machine: control plane, kubelet, containerd, registry, and a second node to lose.

``python -m tests.cluster.testbed up`` starts it, ``down`` removes it without a trace. Everything lies below one folder
that git ignores; nothing is installed into the system but Debian packages by name. It needs root, and no network but
the package registries at its first build.
"""
