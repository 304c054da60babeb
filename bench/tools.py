"""
What is made before anything is measured: the generator, the C limit, and a certificate.

They are made anew in a folder that goes with the run, which takes a few seconds; so they always
fit the sources and the machine.  Without OpenSSL's headers the generator is made without TLS.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from bench.saved import BenchError
from bench.servers import HERE, certificate, find

COMPILE = ["-O3", "-march=native", "-std=gnu11"]
NO_COMPILER = (
    "the load generator and the C server are built with gcc, which is not installed"
    " (Debian and Ubuntu: apt install gcc libc6-dev)"
)
NO_TLS = (
    "TLS is left out: OpenSSL's headers are not installed (Debian and Ubuntu: apt install"
    " libssl-dev)"
)


def build(folder: Path) -> bool:
    """
    Make C{gen}, C{climit} and the certificate.

    @return: whether the generator knows TLS.
    @raise BenchError: there is no compiler, or it fails.
    """
    if not sys.platform.startswith("linux"):
        raise BenchError("the load generator and the C server need Linux, for its epoll")
    gcc = find("gcc")
    if gcc is None:
        raise BenchError(NO_COMPILER)
    isTls = _succeeds([gcc, "-fsyntax-only", "-include", "openssl/ssl.h", "-x", "c", "/dev/null"])
    _compile(gcc, folder, "climit", [])
    _compile(gcc, folder, "gen", ["-DTLS", "-lssl", "-lcrypto"] if isTls else [])
    if isTls:
        _certify(certificate(folder))
    return isTls


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _compile(gcc: str, folder: Path, name: str, more: list[str]) -> None:
    command = [gcc, *COMPILE, "-o", str(folder / name), str(HERE / f"{name}.c"), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.splitlines() or ["no word why"]
        error = next((line for line in lines if "error" in line), lines[-1])
        if "No such file" in error:
            error += " (Debian and Ubuntu: apt install libc6-dev)"
        raise BenchError(f"gcc cannot build {name}: {error}")


def _certify(path: Path) -> None:
    """A key and a certificate of its own, for a day."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(pem)
    )
