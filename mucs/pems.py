"""
A folder of .pem files: the certificates in it, each with its key and its chain, by host.

Twisted's C{tls:} has this too, and goes round for ever where the certificate of an authority that
signed itself is in the folder.  Here a chain ends at such a one.  Of two certificates for a host
the one that is good for longer counts.

Always true: half a file is a fault, and not a folder with less in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from OpenSSL import SSL
from OpenSSL.crypto import FILETYPE_PEM
from twisted.internet.ssl import Certificate, CertificateOptions, KeyPair

BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


class Unusable(Exception):
    """There is no certificate to be used; C{str(it)} says why."""


class _Found(NamedTuple):
    """A certificate, and what stands in it."""

    certificate: Certificate
    subject: bytes
    issuer: bytes
    hosts: tuple[str, ...]
    until: datetime


def pems(folder: str) -> Iterator[str]:
    """The .pem files in a folder, and in those that are in it."""
    for above, _, names in os.walk(folder):
        yield from (os.path.join(above, name) for name in names if name.endswith(".pem"))


def read(folder: str) -> tuple[SSL.Context, frozenset[str]]:
    """
    What a folder is good for.

    @return: what a connection is made from, which takes the certificate for the host that a client
        asks for, and any if there is none; and the hosts.
    @raise Unusable: there is nothing, or half a file.
    @raise OSError: a file cannot be read.
    @raise OpenSSL.SSL.Error: a file holds nonsense.
    """
    found: list[_Found] = []
    keys: dict[str, KeyPair] = {}
    for path in pems(folder):
        with open(path, "rb") as file:
            data = file.read()
        blocks = list(BLOCK.finditer(data))
        if len(blocks) != data.count(b"-----BEGIN "):
            raise Unusable(f"{path} has no end")
        for block in blocks:
            if block[1] == b"CERTIFICATE":
                found.append(_look(block[0]))
            elif block[1].endswith(b"PRIVATE KEY"):
                key = KeyPair.load(block[0], FILETYPE_PEM)
                keys[key.keyHash()] = key
    contexts: dict[str, SSL.Context] = {}
    for each in sorted(found, key=lambda each: each.until):
        own = keys.get(each.certificate.getPublicKey().keyHash())
        if own is not None and each.hosts:
            context = _context(each, own, found, contexts.get)
            contexts.update(dict.fromkeys(each.hosts, context))
    if not contexts:
        raise Unusable("no .pem file there holds a key and its certificate for a DNS name")
    return contexts[min(contexts)], frozenset(contexts)


def _look(pem: bytes) -> _Found:
    certificate = Certificate.loadPEM(pem)
    whole = x509.load_pem_x509_certificate(pem)
    try:
        names = whole.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = tuple(host.lower() for host in names.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        hosts = ()
    subject, issuer = whole.subject.public_bytes(), whole.issuer.public_bytes()
    return _Found(certificate, subject, issuer, hosts, whole.not_valid_after_utc)


def _context(
    first: _Found,
    key: KeyPair,
    found: list[_Found],
    get: Callable[[str], SSL.Context | None],
) -> SSL.Context:
    above = {each.subject: each for each in found}
    chain: list[_Found] = []
    last = first
    while last.issuer != last.subject and last.issuer in above and last not in chain:
        last = above[last.issuer]
        chain.append(last)

    def choose(host: bytes | None) -> SSL.Context | None:
        name = (host or b"").decode("ascii", "replace").lower()
        return get(name) or get("*." + name.partition(".")[2])

    context: SSL.Context = CertificateOptions(
        privateKey=key.original,
        certificate=first.certificate.original,
        extraCertChain=[each.certificate.original for each in chain],
        contextForServerName=choose,
    ).getContext()
    return context
