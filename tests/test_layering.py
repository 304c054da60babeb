"""
The floors of the house: which module of L{mucs} may import which.

The table C{FLOORS} is all there is to edit. A module imports from lower floors. On its own
floor it may import a neighbour, as long as no ring of imports comes of it; but the kinds of
floors 4 and 5 (front ends, logs, plugins) never know each other, for each of them can be
taken away. What counts is what stands in the source: an import inside a function, or under
C{if TYPE_CHECKING:}, is a thing to know of another module as much as any.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from twisted.trial.unittest import SynchronousTestCase

# What stands right below mucs/, from the ground up; "__init__" is mucs/__init__.py itself.
# "plugins.__init__" is no plugin but the place where plugins are looked for, and holds nothing.
FLOORS: tuple[frozenset[str], ...] = (
    # values
    frozenset({"__init__", "events", "text", "names", "roles", "settings", "spans", "looks"})
    | frozenset({"counts", "signs"}),
    frozenset({"imucs", "plugin", "plugins.__init__"}),  # the seams
    # the heart
    frozenset({"room", "turn", "outcome", "doubt", "patience", "delivery", "rules", "seats"})
    | frozenset({"records", "tries", "hashing", "peer", "personal", "pairs"})
    | frozenset({"ring", "group", "volley", "quiet", "linger"}),
    # the service
    frozenset({"hall", "people", "rooms", "history", "register", "places", "gaps"})
    | frozenset({"roomrules", "sanctions", "audit", "seating", "orders", "closing"})
    | frozenset({"leavers"})
    | frozenset({"listener", "certificates", "pems", "inbox", "outlet", "wires", "paced"})
    | frozenset({"accounts", "realm", "asker", "login"})
    | frozenset({"session", "speaker", "newcomer", "member"})
    | frozenset({"friend", "person", "follower", "viewer"})
    | frozenset({"wishes", "mail"}),
    frozenset({"line", "log"}),  # front ends, logs
    frozenset({"plugins"}),  # plugins
    # the way in
    frozenset({"config", "endpoints", "checkers", "tap", "client", "logtool"})
    | frozenset({"reload", "metrics", "manual", "selfsigned", "jsonlog"}),
)
VALUES = 0
STRANGERS = 4  # what stands here never imports its neighbours
PLUGINS = 5  # nor here, where each module is alone
LINES = 300  # a module has fewer

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
ROOT = Path(__file__).resolve().parent.parent
REACTOR = "twisted.internet.reactor"


class Import(NamedTuple):
    """
    One name that one statement imports.
    """

    line: int
    source: str  # where it is looked up
    name: str  # what it is called if it is a module: for "from a import b", a.b


def part(module: str) -> str:
    """
    @param module: a dotted name, C{mucs.line.framing} say; of a package, C{mucs.line.__init__}.
    @return: what of it stands in the table: C{line}.
    """
    return f"{module}.__init__".split(".")[1]


def floor(module: str) -> int | None:
    """
    @return: the floor that C{module} stands on, or L{None} where the table does not have it.
    """
    names = {part(module), module.removeprefix("mucs.")}
    return next((n for n, parts in enumerate(FLOORS) if parts & names), None)


def readHouse(root: Path) -> dict[str, str]:
    """
    @return: the source of every module of the package C{root / "mucs"}, by dotted name.
    """
    return {
        ".".join(path.relative_to(root).with_suffix("").parts): path.read_text("utf-8")
        for path in sorted((root / "mucs").rglob("*.py"))
    }


def imports(module: str, source: str, *, whenImported: bool = False) -> Iterator[Import]:
    """
    @param module: the dotted name of the module with this source.
    @param whenImported: leave out what stands in functions, and so is not run by an import.
    @return: all that the module imports, in no particular order.
    """
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, alias.name)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            start = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                yield Import(node.lineno, start, f"{start}.{alias.name}")
        elif not (whenImported and isinstance(node, FUNCTIONS)):
            waiting.extend(ast.iter_child_nodes(node))


def neighbours(house: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """
    @return: for each module of the house the modules of C{mucs} that it imports, each with the
        line of an import.
    """
    known: dict[str, dict[str, int]] = {module: {} for module in house}
    for module, text in house.items():
        for line, source, name in imports(module, text):
            if source.split(".")[0] == "mucs":
                names = (name, f"{name}.__init__", source, f"{source}.__init__")
                known[module][next((n for n in names if n in house), source)] = line
    return known


def mayImport(module: str, other: str) -> bool:
    """
    @return: whether the floors allow it, as far as the table has both.
    """
    above, below = floor(module), floor(other)
    if above is None or below is None:
        return True
    if above == below == STRANGERS:
        return part(module) == part(other)
    return below < above or (below == above != PLUGINS)


def ring(known: Mapping[str, Mapping[str, int]]) -> list[str]:
    """
    @return: modules each of which imports the next, the last one the first again; or nothing.
        The modules of one front end, or of one log, may know each other.
    """
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done or floor(module) in (STRANGERS, PLUGINS):
            return []
        found = (walk(other, [*path, module]) for other in sorted(known[module]) if other in known)
        first = next(filter(None, found), [])
        done.add(module)
        return first

    return next(filter(None, (walk(module, []) for module in sorted(known))), [])


class LayeringTests(SynchronousTestCase):
    """
    What each module of C{mucs/} may know of the others.
    """

    def setUp(self) -> None:
        self.house = readHouse(ROOT)

    def assertNoFaults(self, faults: list[str]) -> None:
        """
        Fail with all the faults at once, a line each.
        """
        if faults:
            self.fail("\n" + "\n".join(faults))

    def test_thereAreModules(self) -> None:
        """
        The other tests here look at something.
        """
        self.assertIn("mucs.__init__", self.house)

    def test_everyModuleHasAFloor(self) -> None:
        """
        What stands below mucs/, and what is imported from it, is in the table.
        """
        named = set(self.house).union(*neighbours(self.house).values())
        self.assertNoFaults(
            [f"{name}: give it a floor" for name in sorted(named) if floor(name) is None]
        )

    def test_importsPointDown(self) -> None:
        """
        A module imports from lower floors, or from its own where neighbours may know each other.
        """
        self.assertNoFaults(
            [
                f"{module}:{line} (floor {floor(module)}) imports {other} (floor {floor(other)})"
                for module, others in neighbours(self.house).items()
                for other, line in others.items()
                if not mayImport(module, other)
            ]
        )

    def test_noRings(self) -> None:
        """
        Modules do not import each other, neither directly nor by way of a third.
        """
        self.assertEqual(" imports ".join(ring(neighbours(self.house))), "")

    def test_valuesKnowNoTwisted(self) -> None:
        """
        Floor 0 is plain Python.
        """
        self.assertNoFaults(
            [
                f"{module}:{line} imports {source}"
                for module, text in self.house.items()
                if floor(module) == VALUES
                for line, source, _ in imports(module, text)
                if source.split(".")[0] == "twisted"
            ]
        )

    def test_modulesAreShort(self) -> None:
        """
        A module is one idea, and less than 300 lines.
        """
        lengths = {module: text.count("\n") for module, text in self.house.items()}
        self.assertNoFaults([f"{module}: {n} lines" for module, n in lengths.items() if n >= LINES])

    def test_noModuleImportsTheReactor(self) -> None:
        """
        The reactor is an argument; only a function may fetch the one that runs.
        """
        self.assertNoFaults(
            [
                f"{module}:{line} imports {REACTOR}"
                for module, text in self.house.items()
                for line, source, name in imports(module, text, whenImported=True)
                if REACTOR in (source, name)
            ]
        )


# Run in a Python of its own, for in this one the reactor is there already. mucs.tap is what
# twistd imports next, once it has found the plugin that names it.
LIST_PLUGINS = """
import importlib.util, sys
from twisted.plugin import IPlugin, getPlugins
import twisted.plugins, twisted.plugins.mucs_plugin
packages = [twisted.plugins]
if importlib.util.find_spec("mucs.plugins"):
    import mucs.plugins
    packages.append(mucs.plugins)
for package in packages:
    list(getPlugins(IPlugin, package))
import mucs.tap
sys.exit("the reactor is there" if "twisted.internet.reactor" in sys.modules else 0)
"""


class ReactorTests(SynchronousTestCase):
    """
    Which reactor runs is for the one who starts the service to say.
    """

    def test_listingPluginsLeavesTheReactorAlone(self) -> None:
        """
        Neither the plugins, listed as twistd lists them, nor C{mucs.tap} import the reactor.
        None of them is broken either: Twisted leaves such a one out, and says so on stderr.
        """
        ran = subprocess.run(
            [sys.executable, "-c", LIST_PLUGINS],
            cwd=ROOT,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
