"""C{twistd mucs}: this file names the service, and imports nothing of it."""

from twisted.application.service import ServiceMaker

mucs = ServiceMaker("MUCS", "mucs.tap", "a multi-user chat service", "mucs")
