"""
C{--log-json}: the service's log as JSON, an object a line, for programs that collect logs.

Twisted's own form has everything of an event in it, and not the sentence that it makes; here it
is the other way about: C{time}, C{level}, C{from} (which part says it), C{text}, and C{traceback}
where there is one.  It goes where twistd's own log would go.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import IO, Any

from twisted.logger import FileLogObserver, LogEvent, eventAsText
from twisted.python.logfile import LogFile


def use(parent: MutableMapping[str, Any]) -> None:
    """
    Let the program that runs us write its log so.

    @param parent: the options of C{twistd} or C{twist}, before its log has begun.
    @raise ValueError: its other options do not allow it.
    """
    if "logFile" in parent:  # twist
        parent["fileLogObserverFactory"] = observer
        return
    for option in ("logger", "syslog"):
        if parent.get(option):
            raise ValueError(f"that does not go with twistd's own --{option}")
    name = parent.get("logfile") or ""
    inFront = bool(parent.get("nodaemon"))
    if name == "-" and not inFront:
        raise ValueError("a daemon has no stdout to log to")
    twistd.name = "" if inFront and name in ("", "-") else name or "twistd.log"
    parent["logger"] = f"{__name__}.twistd"


class _Twistd:
    """
    What twistd makes its log with.  It knows it only by its dotted name, so there is one.

    @ivar name: of a file; empty for stdout.
    """

    name = ""

    def __call__(self) -> FileLogObserver:
        if not self.name:
            return observer(sys.stdout)
        # As twistd does it: it is another file on SIGUSR1, and when it is large.
        file = LogFile.fromFullPath(self.name)
        if signal.getsignal(signal.SIGUSR1) in (None, signal.SIG_DFL):
            signal.signal(signal.SIGUSR1, lambda *_: _later(file.rotate))
        return observer(file)


twistd = _Twistd()


def _later(call: Callable[[], object]) -> None:
    from twisted.internet import reactor

    reactor.callFromThread(call)  # type: ignore[attr-defined]


def observer(file: IO[Any] | LogFile) -> FileLogObserver:
    """What writes a log so to a file."""
    return FileLogObserver(file, line)  # type: ignore[arg-type]


def line(event: LogEvent) -> str | None:
    """An event as a line; L{None} where it says nothing."""
    text = eventAsText(
        event, includeTraceback=False, includeTimestamp=False, includeSystem=False
    ).rstrip("\n")
    failure = event.get("log_failure")
    if not text and failure is None:
        return None
    time = datetime.fromtimestamp(event.get("log_time", 0.0), UTC)
    level = event.get("log_level")
    fields = {
        "time": time.isoformat(timespec="milliseconds"),
        "level": getattr(level, "name", "info"),
        "from": str(event.get("log_namespace", "")),
        "text": text,
    }
    if failure is not None:
        fields["traceback"] = failure.getTraceback()
    return json.dumps(fields) + "\n"
