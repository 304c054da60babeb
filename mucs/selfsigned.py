"""
C{--tls-self-signed}: TLS in one command, with a certificate that nobody vouches for.

It is made once, for C{localhost} and this host's name, and kept where the service runs: key and
certificate in L{BOTH}, that only its owner can read, and the certificate alone in L{ALONE}, to be
given to those who come.  Who has it beforehand knows whom they speak to; the log says how.

Always true: a file that is there is used as it is, or refused; none but our own is written over,
and that only when it has expired.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import replace
from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import TCP4ServerEndpoint, wrapServerTLS
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.internet.ssl import PrivateCertificate
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mucs.config import NATIVE, ConfigError
from mucs.endpoints import BACKLOG
from mucs.imucs import IFrontEnd
from mucs.listener import Listener, reason

log = Logger()

OPTION = "--tls-self-signed"
PORT = 7443
BOTH = "mucs-tls.pem"
ALONE = "mucs-tls-cert.pem"

#: Days for which it is good.
LASTS = 3650


@implementer(IStreamServerEndpoint)
class SelfSigned:
    """Where one listens with such a certificate; it is looked for when listening begins."""

    def __init__(self, reactor: Any, port: int) -> None:
        self._reactor = reactor
        self._port = port

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        before = {path for path in (BOTH, ALONE) if os.path.exists(path)}
        try:
            pem = kept(datetime.now(UTC))
        except OSError as error:
            # Not with a name of its own: its text would not be shown.
            return fail(ValueError(f"{error.filename}: {reason(error)}"))
        except Exception as error:
            return fail(ValueError(f"{BOTH}: no usable key and certificate: {reason(error)}"))
        endpoint = wrapServerTLS(
            PrivateCertificate.loadPEM(pem).options(),
            TCP4ServerEndpoint(self._reactor, self._port, BACKLOG),
        )
        listening: Deferred[IListeningPort] = endpoint.listen(protocolFactory)
        return listening.addCallbacks(
            lambda port: _tell(port, pem), lambda failure: _undo(failure, before)
        )


def listener(port: str, frontEnds: Mapping[str, IFrontEnd], reactor: Any) -> Listener:
    """
    What the option asks for.

    @raise ConfigError: that is no port, or nobody could speak there.
    """
    source = f"{OPTION} {port}"
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise ConfigError(f"{source}: a port is a number from 1 to 65535")
    if NATIVE not in frontEnds:
        raise ConfigError(f"{source}: the front end {NATIVE} is switched off")
    frontEnd = frontEnds[NATIVE]
    endpoint = SelfSigned(reactor, int(port))
    policy = replace(frontEnd.policy(), passwords=True)  # as with ssl:
    made = Listener(source, frontEnd, endpoint, policy, source=source)
    made.configured = False
    return made


def kept(now: datetime) -> bytes:
    """
    The key and the certificate in the folder we are in; new ones if there are none.

    @raise OSError: a file cannot be read or written.
    @raise Exception: what is there is no key and certificate.
    """
    both = Path(BOTH)
    try:
        pem = both.read_bytes()
    except FileNotFoundError:
        pem = b""
    if not pem or _look(pem).not_valid_after_utc <= now:
        pem = _make(now)
        _write(both, pem, 0o600)
    # That they belong together.
    PrivateCertificate.loadPEM(pem).options().getContext().check_privatekey()
    alone = _look(pem).public_bytes(Encoding.PEM)
    if not Path(ALONE).exists() or Path(ALONE).read_bytes() != alone:
        _write(Path(ALONE), alone, 0o644)
    return pem


def _look(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def _write(path: Path, data: bytes, mode: int) -> None:
    """All of it or nothing, and nobody reads it meanwhile."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(file, "wb") as out:
            os.fchmod(file, mode)
            out.write(data)
        part.rename(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def _make(now: datetime) -> bytes:
    """A new key, and a certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "MUCS, self-signed")])
    names: list[x509.GeneralName] = [x509.IPAddress(ip_address(ip)) for ip in ("127.0.0.1", "::1")]
    for host in dict.fromkeys(["localhost", socket.gethostname()]):
        try:
            names.append(x509.DNSName(host))
        except ValueError:
            pass  # no name that could stand in a certificate
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # Clocks of those who come may be slow.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=LASTS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key.private_bytes(*form) + made.public_bytes(Encoding.PEM)


def _undo(failure: Failure, before: set[str]) -> Failure:
    """Nobody listens: nothing is left of it."""
    for path in {BOTH, ALONE} - before:
        Path(path).unlink(missing_ok=True)
    return failure


def _tell(port: IListeningPort, pem: bytes) -> IListeningPort:
    """Say how it can be trusted."""
    address: Any = port.getHost()
    host = socket.gethostname()
    print_ = _look(pem).fingerprint(SHA256()).hex(":").upper()
    for line in (
        f"TLS with a certificate of our own, SHA-256 {print_}",
        f"who comes needs a copy of {os.path.abspath(ALONE)}, got in a way that can be trusted:",
        f"    mucs tls:{host}:{address.port} --trust {ALONE}",
        f"    openssl s_client -quiet -verify_return_error -CAfile {ALONE}"
        f" -verify_hostname {host} -connect {host}:{address.port}",
    ):
        log.info("{line}", line=line)
    return port
