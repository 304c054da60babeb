"""
The line: bytes between a L{Client} and a server, made anew by Twisted's C{ClientService} when it
is lost.

What can be wrong with a way to a server is put into one sentence each here, since it is Twisted's
failures that tell it.
"""

from __future__ import annotations

import os
import random
import re
import socket
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from OpenSSL import SSL, crypto
from service_identity import VerificationError
from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.endpoints import (
    HostnameEndpoint,
    UNIXClientEndpoint,
    clientFromString,
    wrapClientTLS,
)
from twisted.internet.error import (
    ConnectError,
    ConnectionRefusedError,
    DNSLookupError,
    NoRouteError,
    TCPTimedOutError,
    TimeoutError,
)
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    optionsForClientTLS,
    trustRootFromCertificates,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from mucs.client.address import Address, BadAddress
from mucs.client.client import Client
from mucs.client.views import NOT_RIGHT, NOT_THERE
from mucs.text import clean

#: Seconds to wait for a connection.
PATIENCE = 15.0

#: Seconds between two addresses of the same host.
NEXT = 0.1

#: Socket options by which a peer that is gone is noticed within two minutes.
KEPT = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 60_000}

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)


class Line(Protocol):
    """One connection."""

    transport: Any

    def __init__(self, client: Client) -> None:
        self._client = client

    def connectionMade(self) -> None:
        transport = self.transport
        with suppress(AttributeError, OSError):
            transport.setTcpNoDelay(True)
            transport.setTcpKeepAlive(True)
            for name, value in KEPT.items():
                transport.socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        finish = getattr(transport, "loseWriteConnection", transport.loseConnection)
        self._client.connected(transport.write, finish, transport.abortConnection)

    def dataReceived(self, data: bytes) -> None:
        self._client.heard(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        wrong = _wrongTLS(reason, self._client.where)
        self._client.lost(wrong, NOT_RIGHT if wrong else 0)


class Lines(Factory):
    """Makes the connections of one client."""

    noisy = False

    def __init__(self, client: Client) -> None:
        self._client = client

    def buildProtocol(self, addr: Any) -> Line:
        return Line(self._client)


def call(reactor: Any, client: Client, endpoint: IStreamClientEndpoint) -> ClientService:
    """
    Connect, and connect again as often as the line is lost.

    @return: what does so; its C{stopService} ends that.
    """
    policy = backoffPolicy(0.3, 15.0, 1.6, lambda: random.random() / 2)
    service = ClientService(endpoint, Lines(client), policy, reactor)

    def failed(failure: Failure) -> None:
        client.unreachable(NOT_THERE, _whyNot(failure, client.where))

    service.startService()
    service.whenConnected(failAfterFailures=1).addErrback(failed)
    return service


def endpoint(
    reactor: Any, where: Address, trust: str = "", insecure: bool = False
) -> IStreamClientEndpoint:
    """
    The way to a server.

    @param trust: a PEM file with the certificates, or their authorities, that are trusted; the
        system's, if none is named.
    @param insecure: trust anyone.
    @raise BadAddress: Twisted knows no such endpoint, or that file holds nothing to be trusted.
    """
    if where.kind == "unix":
        return UNIXClientEndpoint(reactor, os.path.expanduser(where.host), PATIENCE)
    if where.kind == "endpoint":
        try:
            found: IStreamClientEndpoint = clientFromString(reactor, where.host)
            return found
        except (ValueError, TypeError, KeyError, IndexError, OSError) as error:
            raise BadAddress(f"{where.host} is no endpoint: {clean(str(error))}") from error
    inner = HostnameEndpoint(reactor, where.host, where.port, PATIENCE, attemptDelay=NEXT)
    if where.kind == "tcp":
        return inner
    if insecure:
        return wrapClientTLS(Unverified(where.host), inner)
    roots = trustRootFromCertificates(_certificates(trust)) if trust else None
    return wrapClientTLS(optionsForClientTLS(where.host, roots), inner)


def _certificates(path: str) -> list[Certificate]:
    try:
        with open(os.path.expanduser(path), "rb") as file:
            found = _PEM.findall(file.read())
        certificates = [Certificate.loadPEM(each) for each in found]
    except OSError as error:
        raise BadAddress(f"--trust {path}: {error.strerror}") from error
    except (crypto.Error, ValueError) as error:
        raise BadAddress(f"--trust {path}: a certificate in it is broken") from error
    if not certificates:
        raise BadAddress(f"--trust {path}: there is no certificate in it; it should be a PEM file")
    return certificates


@implementer(IOpenSSLClientConnectionCreator)
class Unverified:
    """TLS with whoever answers."""

    def __init__(self, host: str) -> None:
        self._host = host

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        connection = SSL.Connection(CertificateOptions(verify=False).getContext(), None)
        try:
            ip_address(self._host)
        except ValueError:
            connection.set_tlsext_host_name(self._host.encode("idna"))
        return connection


def _wrongTLS(reason: Failure, where: str) -> str:
    """What is wrong with the other side's TLS, or nothing."""
    if reason.check(VerificationError):
        return f"the certificate of {where} is for another host"
    if not reason.check(SSL.Error):
        return ""
    said = str(reason.value)
    if "certificate verify failed" in said:
        return (
            f"nobody vouches for the certificate of {where};"
            " --trust FILE names one to be trusted, --insecure trusts anyone"
        )
    if "wrong version" in said or "record layer" in said or "packet length" in said:
        return f"{where} does not speak TLS; without tls: the line is not encrypted"
    if "unexpected eof" in said.lower():
        return ""
    return f"TLS with {where} failed: {clean(said)[:100]}"


def _whyNot(failure: Failure, where: str) -> str:
    """Why there is no connection."""
    error = failure.value
    number = getattr(error, "osError", None)
    if failure.check(DNSLookupError):
        return f"there is no host called {where.removeprefix('tls:').rpartition(':')[0]}"
    if failure.check(ConnectionRefusedError):
        return f"nobody listens at {where}"
    if failure.check(TimeoutError, TCPTimedOutError):
        return f"{where} does not answer"
    if failure.check(NoRouteError):
        return f"there is no way to {where}"
    if failure.check(ConnectError) and isinstance(number, int):
        return f"cannot connect to {where}: {os.strerror(number)}"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot connect to {where}: {error.strerror}"
    return f"cannot connect to {where}: {clean(failure.getErrorMessage())[:100]}"
