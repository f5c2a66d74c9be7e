"""One certificate authority and the leaf certificates of a test cluster."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.cluster.testbed.layout import API_SERVICE, NODE1, NODE2

LIFE = timedelta(days=365)


@dataclass(frozen=True)
class Authority:
    """The authority's key and certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def write_pki(folder: Path) -> None:
    """Write all certificates unless they are there."""
    if (folder / "ca.crt").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    authority = _authority()
    _write(folder / "ca", authority.key, authority.certificate)
    api = ("127.0.0.1", NODE1.ip, API_SERVICE)
    _leaf(folder / "apiserver", authority, "kube-apiserver", addresses=api, names=("localhost", "kubernetes.default"))
    _leaf(folder / "apiserver-kubelet", authority, "apiserver-kubelet", organisation="system:masters", client=True)
    for node in (NODE1, NODE2):
        _leaf(folder / node.name, authority, node.name, addresses=(node.ip,))
    service_accounts = ec.generate_private_key(ec.SECP256R1())
    _write_key(folder / "sa.key", service_accounts)


def _authority() -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "insitu test cluster")])
    certificate = (
        _builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


def _leaf(
    path: Path,
    authority: Authority,
    common_name: str,
    *,
    organisation: str | None = None,
    addresses: tuple[str, ...] = (),
    names: tuple[str, ...] = (),
    client: bool = False,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organisation:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
    builder = _builder(x509.Name(parts), authority.certificate.subject, key).add_extension(
        x509.ExtendedKeyUsage([usage]), critical=False
    )
    alternatives = [x509.IPAddress(ipaddress.ip_address(one)) for one in addresses]
    alternatives += [x509.DNSName(one) for one in names]
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    _write(path, key, builder.sign(authority.key, hashes.SHA256()))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFE)
    )


def _write(path: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    _write_key(path.with_suffix(".key"), key)
    path.with_suffix(".crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
