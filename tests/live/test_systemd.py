"""
The units for systemd: it understands them, they are as tight as they say, and do what they say.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from mucs.config import load
from tests.live.server import ROOT

ETC = ROOT / "etc"
SERVICE = (ETC / "mucs.service").read_text()


def setting(key: str) -> str:
    """A setting of the service."""
    [value] = re.findall(rf"(?m)^{key}=(.*)$", SERVICE)
    return str(value)


class UnitTests(SynchronousTestCase):
    """C{etc/mucs.service} and C{etc/mucs.socket}."""

    def analyze(self, *words: str) -> str:
        if shutil.which("systemd-analyze") is None:
            raise SkipTest("there is no systemd-analyze here")
        ran = subprocess.run(
            ["systemd-analyze", *words],
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "SYSTEMD_LOG_COLOR": "0"},
        )
        self.assertEqual((ran.returncode, ran.stderr), (0, ""), ran.stdout)
        return ran.stdout

    def test_systemdUnderstandsThem(self) -> None:
        """But that MUCS need not be installed where they say."""
        folder = Path(tempfile.mkdtemp(prefix="mucs-"))
        self.addCleanup(shutil.rmtree, folder)
        twistd = shlex.split(setting("ExecStart"))[0]
        service = SERVICE.replace(twistd, f"{sysconfig.get_path('scripts')}/twistd")
        (folder / "mucs.service").write_text(service)
        shutil.copy(ETC / "mucs.socket", folder)
        self.analyze("verify", str(folder / "mucs.service"), str(folder / "mucs.socket"))

    def test_howTightItIs(self) -> None:
        """Not looser than the figure in it, which is that of systemd 252."""
        said = self.analyze("security", "--offline=true", str(ETC / "mucs.service"))
        [found] = re.findall(r"exposure level for mucs.service: ([\d.]+)", said)
        [told] = re.findall(r"offline=true etc/mucs.service: ([\d.]+)", SERVICE)
        self.assertLessEqual(abs(float(found) - float(told)), 0.3)

    def test_whatItDoes(self) -> None:
        """A reload is SIGHUP, the log is in its own folder, and its files are those it names."""
        self.assertEqual(setting("ExecReload"), "/bin/kill -HUP $MAINPID")
        self.assertEqual(setting("StateDirectory"), "mucs")
        self.assertEqual(setting("WorkingDirectory"), "%S/mucs")
        self.assertIn(shlex.split(setting("ExecStart"))[-1], SERVICE.split("[Unit]")[0])
        self.assertEqual(load(str(ETC / "mucs.toml")).log, "sqlite:mucs.sqlite")

    def test_theSocket(self) -> None:
        """It has the name by which the manual asks for it."""
        text = (ETC / "mucs.socket").read_text()
        [name] = re.findall(r"(?m)^FileDescriptorName=(.*)$", text)
        port = f'port = "systemd:domain=INET:name={name}"'
        self.assertIn(port, text)
        self.assertIn(port, (ETC / "mucs.toml").read_text())
