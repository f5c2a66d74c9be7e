"""The runtime port on a Kubernetes cluster: bare pods, claims, and one record per execution."""

from insitu.adapters.runtime.kubernetes.configuration import Placement, PodImage
from insitu.adapters.runtime.kubernetes.runtime import KubernetesRuntime

__all__ = ["KubernetesRuntime", "Placement", "PodImage"]
