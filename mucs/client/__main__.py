"""
C{mucs}: what it was asked to do, and how it ends.

The prompt is there before Twisted is: only prompt_toolkit is needed to draw it, and whatever is
typed meanwhile is kept.  Whatever happens, the last thing is an exit code and, where it is not 0,
one sentence on stderr.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from mucs.client.asking import ask, askPassword, isNamed, remember, usualName
from mucs.client.options import Asked, UsageError, parse, password
from mucs.text import clean

if TYPE_CHECKING:
    from mucs.client.printed import Printed
    from mucs.client.screen import Screen

MISTAKE = 2

#: Seconds without progress after which what comes out of a pipe is given up.
PIPE = 60.0


def main(argv: Sequence[str] | None = None) -> int:
    """What C{mucs} runs. @return: the exit code."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # It was closed, and the first socket would take its place.
            nothing = open(os.devnull, "w" if number else "r")
            setattr(sys, name, nothing)
    for stream in (sys.stdout, sys.stderr):
        # Someone may be called what this terminal cannot show.
        cast(Any, stream).reconfigure(errors="backslashreplace")
    try:
        asked = parse(sys.argv[1:] if argv is None else argv)
        secret = _prepare(asked)
    except UsageError as error:
        return _say(str(error), MISTAKE)
    except EOFError:
        return _say("\nnothing was answered", MISTAKE)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 128 + signal.SIGINT
    if asked.insecure:
        print(
            "mucs: --insecure: NOBODY VOUCHES FOR THIS SERVER. Whoever is in between reads what you"
            " say, your password too, and can say anything in its name.",
            file=sys.stderr,
        )
    if _isScreen(asked):
        try:
            from mucs.client.screen import Screen
        except ImportError:
            missing = "the screen needs prompt_toolkit: pip install 'mucs[client]'; so, only lines"
            print(f"mucs: {missing}", file=sys.stderr)
            asked.plain = True
        else:
            return _onScreen(asked, secret, Screen)
    return _printed(asked, secret)


def _isThere() -> bool:
    """Whether someone is there to answer."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _isScreen(asked: Asked) -> bool:
    dumb = os.environ.get("TERM", "dumb") in ("dumb", "")
    return _isThere() and not dumb and not asked.plain and not asked.follow


def _prepare(asked: Asked) -> str:
    """Find out what is lacking. @return: the password, or nothing."""
    if _isThere() and not asked.follow:
        # Whoever started us in the background may have had it ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if not (asked.name and asked.where):
            ask(asked)
    elif asked.where is None:
        raise UsageError("say where the server is: mucs HOST:PORT")
    else:
        asked.name = asked.name or usualName()
        if not asked.name and isNamed(asked):
            raise UsageError("say what you want to be called: mucs --name NAME")
    secret = password(asked)
    if secret is None:
        if not _isThere():
            raise UsageError("there is nobody to ask for the password: MUCS_PASSWORD has it, say")
        secret = askPassword(asked.name, asked.where)
    if clean(secret) != secret:
        raise UsageError("that password has characters that no line can have")
    return secret


def _call(asked: Asked, secret: str, reactor: Any, view: Printed | Screen, patient: bool) -> bool:
    """Begin. @return: whether that was possible."""
    from mucs.client.address import BadAddress
    from mucs.client.client import Client
    from mucs.client.line import call, endpoint

    where = asked.where
    assert where is not None
    try:
        way = endpoint(reactor, where, asked.trust, asked.insecure)
    except BadAddress as bad:
        view.over(MISTAKE, str(bad))
        return False
    rooms = dict.fromkeys(asked.room, 0)
    client = Client(
        view,
        reactor,
        str(where),
        asked.name,
        asked.dialect,
        rooms,
        secret,
        patient,
        asked.give_up,
    )
    view.start(client)
    service = call(reactor, client, way)

    def stop() -> None:
        service.stopService()
        reactor.stop()

    def end() -> None:
        # Not here and now: this may be the service that tells us that it cannot connect.
        reactor.callLater(0, stop)

    view.atEnd = end
    if client.isOver:
        end()
    if patient:
        remember(asked)
    return True


def _onScreen(asked: Asked, secret: str, make: Callable[..., Screen]) -> int:
    import asyncio

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    screen = make(str(asked.where), asked.name)
    drawn = loop.create_future()

    def isDrawn(app: object) -> None:
        if not drawn.done():
            drawn.set_result(None)

    screen.app.after_render += isDrawn
    task = loop.create_task(
        screen.app.run_async(handle_sigint=False, set_exception_handler=False)
    )
    loop.run_until_complete(asyncio.wait((task, drawn), return_when=asyncio.FIRST_COMPLETED))

    from twisted.internet import asyncioreactor

    asyncioreactor.install(loop)
    from twisted.internet import reactor as _reactor

    reactor = cast(Any, _reactor)

    def gone(number: int) -> None:
        if screen.client is not None:
            screen.client.over(128 + number, "")
        else:
            screen.over(128 + number, "")

    for number in (signal.SIGHUP, signal.SIGTERM):
        loop.add_signal_handler(number, gone, number)
    # prompt_toolkit ends by itself where the terminal does.
    task.add_done_callback(lambda _: None if screen.code is not None else gone(signal.SIGHUP))
    if screen.code is None and _call(asked, secret, reactor, screen, True):
        reactor.run(installSignalHandlers=False)
    # Its terminal may be gone, and then it fails: there is nobody who could be told.
    loop.run_until_complete(asyncio.wait((task,)))
    if not task.cancelled():
        task.exception()
    return _end(screen.code, screen.why)


def _printed(asked: Asked, secret: str) -> int:
    from twisted.internet import reactor as _reactor

    from mucs.client.printed import Follow, Pipe, Plain

    reactor = cast(Any, _reactor)
    view: Printed
    if asked.follow:
        view = Follow(reactor, sys.stdout, sys.stderr, asked.json)
    elif asked.plain or sys.stdin.isatty():
        view = Plain(reactor, sys.stdout, sys.stderr)
    else:
        view = Pipe(reactor, sys.stdout, sys.stderr, min(PIPE, asked.give_up))

    def stop(number: int, frame: object) -> None:
        def end() -> None:
            if number != signal.SIGINT or view.interrupted():
                view.client.over(128 + number, "")

        reactor.callFromThread(end)

    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if _call(asked, secret, reactor, view, _isThere() and not asked.follow):
        reactor.run(installSignalHandlers=False)
    return _end(view.code, view.why)


def _end(code: int | None, why: str) -> int:
    if why:
        _say(why, 0)
    return 0 if code is None else code


def _say(text: str, code: int) -> int:
    print(f"mucs: {clean(text)}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
