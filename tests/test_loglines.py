"""
The operator's log: what people bring about there is one line for each event, whatever they write.
"""

from __future__ import annotations

import io
import json
import re
from typing import Any, cast

from twisted.logger import ILogObserver, LogEvent, globalLogPublisher, textFileLogObserver

from mucs.imucs import IFrontEnd, IObserver
from mucs.plugins.observer_console import console
from tests.house import ENDS, House, HouseCase, installed
from tests.payloads import payloads

#: What a log that expands formats would expand.
FORMATS = ("{log_source}", "{line}", "{0}", "%s", "%(system)s", "{line!r:>99999}", "{", "{{x}}")

#: What is not shown in a line of text, but for its end.
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class LinesTests(HouseCase):
    """Every dialect, with a console that says everything."""

    def setUp(self) -> None:
        super().setUp()
        self.written = io.StringIO()
        self.events: list[LogEvent] = []
        write = textFileLogObserver(self.written)

        def witness(event: LogEvent) -> None:
            self.events.append(event)
            write(event)

        observe = cast(ILogObserver, witness)
        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        self.house = House(observers=[cast(IObserver, console), cast(IObserver, Broken())])
        for dialect in ENDS:
            self.house.listens(dialect, console=True)

    def test_oneEventIsOneLine(self) -> None:
        """
        Speech, names, reasons and refusals of all kinds: one line each, without escapes, in which
        what they wrote stands as they wrote it.
        """
        # The lines for others' faults, with a traceback, are Twisted's; here there are none.
        dialects = [dialect for dialect in installed(IFrontEnd) if dialect in ENDS]
        said = [*FORMATS, *payloads(600)]
        for count, payload in enumerate(said):
            # Of the five this one's console says what was said.
            dialect = "hithere" if payload in FORMATS else dialects[count % len(dialects)]
            person = self.house.connect(dialect)
            if dialect == "json":
                text = payload.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
                for request in ({"name": f"e{text}"}, {"name": f"eve {count}"}, {"say": text}):
                    person.sends(json.dumps(request).encode() + b"\n")
            else:
                for text in (f"e{payload}", f"eve {count}", payload, f"/quit {payload}"):
                    person.sends(text.encode("utf-8", "surrogateescape") + person.end)
            self.house.turn()
            person.closes()
            self.house.turn()
        lines = self.written.getvalue().split("\n")[:-1]
        self.assertEqual(len(lines), len(self.events))
        self.assertGreater(len(lines), len(said))
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\S+ \[console#info\] ")
            self.assertIsNone(CONTROL.search(line), repr(line))
        for text in FORMATS:
            self.assertTrue(any(text in line for line in lines), text)

    def test_whatAPluginRaises(self) -> None:
        """A traceback may hold what somebody wrote: no escapes, no line that looks like another."""
        person = self.house.enters("eve")
        for payload in payloads(300):
            self.written.truncate(0)
            self.written.seek(0)
            self.house.hall.guard._faults.clear()
            person.sends(f"break {payload}".encode("utf-8", "surrogateescape") + b"\r\n")
            self.house.turn()
            if not self.written.getvalue():
                continue  # it was refused
            first, *rest = self.written.getvalue()[:-1].split("\n")
            self.assertRegex(first, r"^\d{4}-\d\d-\d\dT\S+ \[")
            for line in rest:
                self.assertEqual(line[0], "\t")
                self.assertIsNone(CONTROL.search(line[1:]), payload)
        self.assertGreater(len(self.flushLoggedErrors(ValueError)), 200)


class Broken:
    """An observer that raises, with what it was told, when it is told to."""

    name = "broken"
    summary = "raises"

    def observe(self, batch: Any) -> None:
        for event, _ in batch:
            if event.text.startswith("break "):
                raise ValueError(event.text)
