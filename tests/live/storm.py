"""
A storm of wrong logins, as a program: C{python -m tests.live.storm PORT ADDRESSES RATE SECONDS}.

It is a process of its own, so that what a test measures meanwhile is the server's.  It says
C{begun} when all are in, C{answered} when the first wrong login was, and in the end how many.
"""

from __future__ import annotations

import select
import socket
import sys
import time


def arrive(port: int, addresses: int) -> list[socket.socket]:
    """So many guests, each from an address of their own, all in."""
    guests = []
    for number in range(addresses):
        plug = socket.socket()
        plug.bind((f"127.0.1.{number + 1}", 0))
        plug.connect(("127.0.0.1", port))
        plug.sendall(b"g%d\n" % number)
        guests.append(plug)
    for plug in guests:
        while b"-- now" not in plug.recv(65536):
            pass
        plug.setblocking(False)
    return guests


def guess(guests: list[socket.socket], rate: int, seconds: float) -> tuple[int, int]:
    """
    Log in wrongly, so many times a second.

    @return: how many were asked for, and how many answers came.
    """
    asked = answers = 0
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        while asked < passed * rate:
            name = b"ada" if asked % 4 == 0 else b"n%d" % asked
            guests[asked % len(guests)].send(b"/login %s wrong-%d\n" % (name, asked))
            asked += 1
        for plug in select.select(guests, [], [], 0.02)[0]:
            came = b"\n".join([b"", *plug.recv(65536).split(b"\n")]).count(b"\n! ")
            if came and not answers:
                print("answered", flush=True)
            answers += came
    return asked, answers


def main() -> None:
    port, addresses, rate, seconds = sys.argv[1:]
    guests = arrive(int(port), int(addresses))
    print("begun", flush=True)
    asked, answers = guess(guests, int(rate), float(seconds))
    print(f"{asked} wrong logins in {seconds} s, {answers} answers", flush=True)


if __name__ == "__main__":
    main()
