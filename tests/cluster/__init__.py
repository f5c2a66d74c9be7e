"""Tests on a real Kubernetes, and the cluster itself."""
