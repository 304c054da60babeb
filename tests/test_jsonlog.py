"""The log as JSON: what a line holds, and where it goes."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from twisted.logger import Logger, LogLevel
from twisted.python import usage
from twisted.python.failure import Failure
from twisted.python.reflect import namedAny
from twisted.trial.unittest import SynchronousTestCase

from mucs import jsonlog, tap
from tests.test_tap import TapCase


class LineTests(SynchronousTestCase):
    """A line for each event."""

    def written(self, **event: Any) -> list[Any]:
        """What stands in the file when this has happened."""
        file = io.StringIO()
        observer = jsonlog.observer(file)
        Logger(namespace="a.b", observer=observer).emit(LogLevel.warn, **event)
        return [json.loads(line) for line in file.getvalue().splitlines()]

    def test_whatItSays(self) -> None:
        """The sentence, and not what it was made from."""
        [line] = self.written(format="it is {what}", what="{late}\n\u2028\ud800")
        self.assertRegex(line.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$")
        said = "it is {late}\n\u2028\ud800"
        self.assertEqual(line, {"level": "warn", "from": "a.b", "text": said})

    def test_aFailure(self) -> None:
        try:
            raise ValueError("a fault")
        except ValueError:
            [line] = self.written(format="no", log_failure=Failure())
        self.assertEqual(line["text"], "no")
        self.assertIn("ValueError: a fault", line["traceback"])

    def test_nothing(self) -> None:
        self.assertEqual(self.written(), [])

    def test_whatCannotBeSaid(self) -> None:
        """It is a line all the same."""

        class Odd:
            def __str__(self) -> str:
                raise ValueError("no")

        self.assertEqual(len(self.written(format="{odd}", odd=Odd())), 1)
        self.assertEqual(len(self.written(format="{missing}")), 1)


class PlaceTests(TapCase):
    """Where it goes: to where the log of the program that runs us would go."""

    def parent(self, **options: Any) -> dict[str, Any]:
        self.addCleanup(setattr, jsonlog.twistd, "name", "")
        jsonlog.use(options)
        return options

    def test_twistd(self) -> None:
        """It is found by its name, as twistd looks for it."""
        options = self.parent(nodaemon=1, logfile=None)
        self.assertIs(namedAny(options["logger"]), jsonlog.twistd)
        for nodaemon, logfile, name in (
            (1, None, ""),
            (1, "-", ""),
            (1, "x.log", "x.log"),
            (0, None, "twistd.log"),
            (0, "x.log", "x.log"),
        ):
            self.parent(nodaemon=nodaemon, logfile=logfile)
            self.assertEqual(jsonlog.twistd.name, name)

    def test_twist(self) -> None:
        options = self.parent(logFile=sys.stdout)
        self.assertIs(options["fileLogObserverFactory"], jsonlog.observer)

    def test_whatDoesNotGo(self) -> None:
        for options in ({"syslog": 1}, {"logger": "x.y"}, {"logfile": "-", "nodaemon": 0}):
            self.assertRaises(ValueError, jsonlog.use, options)

    def test_oneLine(self) -> None:
        """As of every mistake."""

        options = tap.Options()
        options.parent = usage.Options()
        options.parent["syslog"] = 1
        error = self.assertRaises(SystemExit, options.parseOptions, ["--log-json"])
        self.assertEqual(
            error.code, "mucs: --log-json: that does not go with twistd's own --syslog"
        )
