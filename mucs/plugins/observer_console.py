"""The lines that the five older servers wrote on their consoles, in the service's log."""

from collections.abc import Sequence
from typing import Any

from twisted.logger import Logger
from twisted.plugin import IPlugin
from zope.interface import implementer

from mucs.events import Event
from mucs.imucs import IObserver

log = Logger(namespace="console")


@implementer(IPlugin, IObserver)
class Console:
    name = "console"
    summary = "writes what the five older servers wrote on their consoles"

    def observe(self, batch: Sequence[tuple[Event, Any]]) -> None:
        for event, session in batch:
            if session is None or not session.policy.console:
                continue
            for line in session.console(event).split("\n"):
                if line:
                    log.info("{line}", line=line)


console = Console()
