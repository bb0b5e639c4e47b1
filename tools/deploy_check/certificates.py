"""A certificate of 127.0.0.1 for one check, so that everything speaks TLS as in AWS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LIFETIME = timedelta(days=1)
_USAGES = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
_CRL_USAGES = ("crl_sign", "encipher_only", "decipher_only")


@dataclass(frozen=True)
class Certificates:
    """PEM files. The certificate is its own authority: clients are told to trust it."""

    certificate: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    """Make a certificate that is valid for a day, and its key, which only its owner reads."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Certificates(folder / "server.pem", folder / "server.key")
    key = ec.generate_private_key(ec.SECP256R1())
    made.certificate.write_bytes(_self_signed(key).public_bytes(serialization.Encoding.PEM))
    made.key.touch(mode=0o600)
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    names = [x509.IPAddress(IPv4Address("127.0.0.1")), x509.DNSName("localhost")]
    unused = dict.fromkeys((*_USAGES, *_CRL_USAGES), False)
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, **unused), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
