"""CoreDNS as a pod behind the Service at the cluster's DNS address, for network policies know it by its namespace.

It knows the names of the cluster and forwards nothing: the machine's own resolver is never asked.
"""

from pathlib import Path

from tests.cluster.testbed.binaries import component
from tests.cluster.testbed.layout import DNS_SERVICE, DOMAIN, NODE1
from tests.cluster.testbed.oci import write_image

IMAGE = "insitu.local/coredns:1"
READY = ("wait", "pod/coredns", "--namespace=kube-system", "--for=condition=Ready", "--timeout=60s")

MANIFEST = f"""\
apiVersion: v1
kind: ServiceAccount
metadata: {{name: coredns, namespace: kube-system}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: system:coredns}}
rules:
- {{apiGroups: [""], resources: [services, namespaces], verbs: [list, watch]}}
- {{apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: system:coredns}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:coredns}}
subjects: [{{kind: ServiceAccount, name: coredns, namespace: kube-system}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: coredns, namespace: kube-system}}
data:
  Corefile: |
    .:53 {{
        errors
        ready :8181
        kubernetes {DOMAIN}
    }}
---
apiVersion: v1
kind: Service
metadata: {{name: kube-dns, namespace: kube-system, labels: {{k8s-app: kube-dns}}}}
spec:
  clusterIP: {DNS_SERVICE}
  selector: {{k8s-app: kube-dns}}
  ports: [{{name: dns, port: 53, protocol: UDP}}, {{name: dns-tcp, port: 53, protocol: TCP}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: coredns, namespace: kube-system, labels: {{k8s-app: kube-dns}}}}
spec:
  serviceAccountName: coredns
  nodeName: {NODE1.name}
  dnsPolicy: Default
  enableServiceLinks: false
  terminationGracePeriodSeconds: 1
  tolerations: [{{operator: Exists}}]
  containers:
  - name: coredns
    image: {IMAGE}
    imagePullPolicy: Never
    args: [-conf, /etc/coredns/Corefile]
    env: [{{name: GOMEMLIMIT, value: 64MiB}}]
    ports: [{{containerPort: 53, protocol: UDP}}, {{containerPort: 53, protocol: TCP}}]
    readinessProbe: {{httpGet: {{path: /ready, port: 8181}}, periodSeconds: 1}}
    # It asks for no processor: tests count on all that a node of two cores has.
    resources: {{requests: {{memory: 32Mi}}, limits: {{memory: 128Mi}}}}
    securityContext:
      allowPrivilegeEscalation: false
      capabilities: {{drop: [ALL], add: [NET_BIND_SERVICE]}}
      readOnlyRootFilesystem: true
    volumeMounts: [{{name: config, mountPath: /etc/coredns, readOnly: true}}]
  volumes: [{{name: config, configMap: {{name: coredns}}}}]
"""


def write_dns_image(archive: Path) -> None:
    """Write the image of CoreDNS."""
    write_image(archive, IMAGE, component("coredns"), "coredns", "0:0")
