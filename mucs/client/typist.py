"""
What is typed, until it is whole.

A command that lacks its password is not sent: the password is asked for, where nobody can read it
and nothing keeps it, and what goes to the server is the command in one line.  An empty line takes
the question back.  A server that counts asks nobody, so that here the line after C{/register}
would be speech.
"""

from __future__ import annotations

from collections.abc import Callable

from mucs.client.wording import Line, note, refusal
from mucs.text import clean, firstWord, quote


class BadAnswer(Exception):
    """That cannot be sent as a password; C{str(it)} is one line that says why."""


class Question:
    """A command that lacks a password, or two."""

    def __init__(self, words: list[str], prompts: list[str]) -> None:
        """@param words: what there is of the command; C{prompts}: what it lacks."""
        self._words = words
        self._prompts = prompts

    @property
    def prompt(self) -> str:
        """What is asked for now."""
        return self._prompts[0]

    def answer(self, text: str) -> str:
        """
        Take an answer.

        @return: the whole line, or nothing if more is to be asked.
        @raise BadAnswer: it is asked for still.
        """
        text = text.strip()
        if clean(text) != text:
            raise BadAnswer("that has characters that no line can have")
        if self._words[0] == "/password":
            # Two of them stand in one line, and the server has to see where one ends.
            if firstWord(quote(text)) != (text, ""):
                raise BadAnswer("that cannot be told from two words; leave its quotation marks out")
            text = quote(text)
        self._words.append(text)
        del self._prompts[0]
        return "" if self._prompts else " ".join(self._words)


def question(line: str, name: str) -> Question | None:
    """
    Look whether a line lacks a password.

    @param name: what one is called.
    @return: what is to be asked; L{None} if the line is whole.
    """
    command, *rest = line.split(None, 1) or [""]
    command = command.lower()
    first, more = firstWord(rest[0] if rest else "")
    if command == "/register" and not first:
        return Question([command], [f"a password for {name or 'your name'}"])
    if command == "/login" and first and not more:
        return Question([command, quote(first)], [f"the password of {clean(first)}"])
    if command == "/password" and not more:
        prompts = ["your password, as it is now", "the new one"]
        return Question([command, *[quote(first)] * bool(first)], prompts[bool(first) :])
    return None


class Typist:
    """Stands between the keys and the client, where someone is there to be asked."""

    def __init__(self, say: Callable[[str], None], show: Callable[[Line], None]) -> None:
        """@param say: is given what is whole; C{show}, what there is to know."""
        self._say = say
        self._show = show
        self._question: Question | None = None

    @property
    def prompt(self) -> str:
        """What is asked for now, and is not to be seen; nothing, if nothing is."""
        return self._question.prompt if self._question is not None else ""

    def typed(self, line: str, name: str) -> None:
        """A line was typed. @param name: what one is called."""
        asked = self._question
        if asked is None:
            self._question = question(line, name)
            if self._question is None:
                self._say(line)
        elif not line.strip():
            self.nothing()
        else:
            try:
                whole = asked.answer(line)
            except BadAnswer as bad:
                self._show(refusal(f"{bad}; an empty line: never mind"))
                return
            if whole:
                self._question = None
                self._say(whole)

    def nothing(self) -> None:
        """Take a question back."""
        if self._question is not None:
            self._question = None
            self._show(note("never mind"))
