"""Runtime port: sealed containers on this machine, or Kubernetes."""
