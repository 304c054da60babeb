"""
The real service sends by io_uring where it may, and without it where not; nobody sees a difference.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from pathlib import Path

from twisted.trial.unittest import SkipTest

from tests.live.inside import HOST, Person
from tests.live.server import FOREGROUND, Server, ServerCase, command

#: What has a program run where io_uring is forbidden, as in many containers: seccomp(2) answers
#: io_uring_setup, number 425, with EPERM.
FORBID = """
import ctypes, os, struct, sys
filter = b"".join(struct.pack("=HBBI", *line) for line in (
    (0x20, 0, 0, 0), (0x15, 0, 1, 425), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)))
code = ctypes.create_string_buffer(filter)
program = struct.pack("@HP", len(filter) // 8, ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""

WITHOUT = "each send is a call of its own: no io_uring here ([Errno 1] Operation not permitted)"

PEOPLE = 24


class VolleyTests(ServerCase):
    """Twenty people, some of whom are always others."""

    def files(self, server: Server) -> list[str]:
        """What the server has open."""
        folder = Path(f"/proc/{server.transport.pid}/fd")
        return [os.readlink(each) for each in folder.iterdir()]

    async def test_withRing(self) -> None:
        server = self.start("--log", "memory:", "--port", f"tcp:0:interface={HOST}")
        await self.talks(server)
        if "no io_uring here" in server.log():
            raise SkipTest("this kernel has no io_uring, or not for us")
        self.assertIn("anon_inode:[io_uring]", self.files(server))

    async def test_switchedOff(self) -> None:
        folder = self.folder()
        (folder / "mucs.toml").write_text("io_uring = false\n")
        options = ("--log", "memory:", "--port", f"tcp:0:interface={HOST}")
        server = self.start("--config", "mucs.toml", *options, folder=folder)
        await self.talks(server)
        self.assertNotIn("anon_inode:[io_uring]", self.files(server))
        self.assertNotIn("io_uring", server.log())

    async def test_forbidden(self) -> None:
        argv = [sys.executable, "-c", FORBID, *command(FOREGROUND)]
        options = ("--log", "memory:", "--port", f"tcp:0:interface={HOST}")
        server = self.start(*options, argv=argv)
        await self.talks(server)
        self.assertIn(WITHOUT, server.log())
        self.assertNotIn("anon_inode:[io_uring]", self.files(server))

    async def talks(self, server: Server) -> None:
        """Everyone sees what the others say, once and in order, whoever goes meanwhile."""
        [port] = await server.begins()
        people = {f"p{n}": await self.meet(port, f"p{n}") for n in range(PEOPLE)}
        for person in people.values():
            await person.sees("-- now", "\n")
        last = f"p{PEOPLE - 1}"
        for name, person in people.items():
            if name != last:
                await person.sees(f"* {last} joined", "\n")
        for turn in range(12):
            # With the descriptors of those who go come others at once.
            gone, comes = f"p{turn}", f"p{PEOPLE + turn}"
            self.resets(people.pop(gone))
            people[comes] = await self.meet(port, comes)
            for name, person in people.items():
                if name != comes:
                    person.says(*[f"{turn} {n} of {name}" for n in range(3)])
            await people[comes].sees("-- now", "\n")
        for person in people.values():
            person.says("the end")
        for person in people.values():
            while person.seen.count(b": the end\r\n") < len(people) - 1:
                await person.sees(": the end\r\n")
        for name, person in people.items():
            lines = person.seen.decode().splitlines()
            for other in people:
                if other == name:
                    continue
                said = [line for line in lines if line.startswith(f"{other}: ") and " of " in line]
                first = max(int(name[1:]), int(other[1:])) - PEOPLE
                here = [
                    f"{other}: {turn} {n} of {other}"
                    for turn in range(max(0, first + 1), 12)
                    for n in range(3)
                ]
                # Whoever came later saw some of what was said before, too.
                self.assertEqual(said[-len(here) :] if here else [], here)
                self.assertEqual(len(said), len(set(said)))

    def resets(self, person: Person) -> None:
        """Someone vanishes, without an end."""
        plug: socket.socket = person.transport.getHandle()
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        person.transport.abortConnection()
