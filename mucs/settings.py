"""
How a room is to be, and how a person wants to be shown things: what its owner decides, and what
everyone decides for themselves, as values that are kept.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class RoomSettings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    @ivar name: of the room, as it is shown, without C{#}.
    @ivar owner: the key of the account that owns it; empty for nobody.
    @ivar moderators: keys of accounts.
    @ivar private: whether it is listed nowhere, and entered by invitation.
    @ivar key: the hash of what one must know to enter; empty for nothing.
    @ivar moderated: whether only members speak.
    @ivar seats: how many may be in at a time; 0 for any number.
    @ivar history: whether guests see what was said before they came.
    @ivar days: for which what was said is kept; 0 for as long as the server keeps it.
    @ivar events: how many are kept; 0 for as many as the server keeps.
    """

    name: str
    owner: str = ""
    moderators: tuple[str, ...] = ()
    private: bool = False
    key: str = ""
    moderated: bool = False
    seats: int = 0
    history: bool = True
    days: int = 0
    events: int = 0


class Settings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What someone has set for themselves; hashable.

    @ivar times: whether each line begins with the time.
    @ivar quiet: whether others come and go without a word.
    @ivar bell: whether a line that names them rings.
    @ivar colour: whether names are coloured.
    @ivar echo: what they see of what they say, as in L{mucs.rules.Policy}; empty for what their
        listener says.
    @ivar hold: whether lines wait until they press Enter.
    @ivar ignored: whom they ignore: names of accounts, or of people who have none, as shown.
    """

    times: bool = False
    quiet: bool = False
    bell: bool = False
    colour: bool = False
    echo: Literal["", "none", "line", "ack"] = ""
    hold: bool = False
    ignored: tuple[str, ...] = ()
