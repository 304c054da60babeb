"""
Roles: who one is, and what each may do.  There is one table of it; every command and every room
asks here.

Someone's role is had in a room: C{moderator} and C{owner} of one room are C{member}s elsewhere.
Whoever has a role may do what those before it may.
"""

from __future__ import annotations

from collections.abc import Mapping

from mucs.settings import RoomSettings

STRANGER = "stranger"  # has no name yet
GUEST = "guest"  # has a name
MEMBER = "member"  # is registered, and logged in
MODERATOR = "moderator"  # of a room: keeps it in order
OWNER = "owner"  # of a room: decides how it is
ADMIN = "admin"  # of the server

#: From the least to the most.
ROLES = (STRANGER, GUEST, MEMBER, MODERATOR, OWNER, ADMIN)

_RANK = {role: rank for rank, role in enumerate(ROLES)}

#: The least role for each thing that is not for every guest.  What is not here, a command of
#: another package say, is for guests, unless it says otherwise itself.
LEAST: Mapping[str, str] = {
    # commands, by name
    "help": STRANGER,
    "quit": STRANGER,
    "resume": STRANGER,
    "invite": MODERATOR,
    "kick": MODERATOR,
    "mute": MODERATOR,
    "unmute": MODERATOR,
    "ban": MODERATOR,
    "unban": MODERATOR,
    "bans": MODERATOR,
    "op": OWNER,
    "deop": OWNER,
    "announce": ADMIN,
    "shutdown": ADMIN,
    "audit": ADMIN,
    # other things one does
    "speak where it is moderated": MEMBER,
    "look back where guests may not": MEMBER,
    "own a room": MEMBER,
    "enter any room": MODERATOR,
    "see a room's bans and key": MODERATOR,
    "set how a room is": OWNER,
    "ban from the server": ADMIN,
    "login": STRANGER,
    "logout": MEMBER,
    "password": MEMBER,
    "accounts": ADMIN,
    "reload": ADMIN,
}

#: How one comes by a role.
HOW: Mapping[str, str] = {
    GUEST: "first say who you are: type a name",
    MEMBER: "that is for members; /register makes you one, /login if you are one already",
    MODERATOR: "that is for the room's moderators",
    OWNER: "that is for the room's owner",
    ADMIN: "that is for the server's admins",
}


def least(act: str) -> str:
    """The least role that may do something: run a command of that name, or what L{LEAST} lists."""
    return LEAST.get(act, GUEST)


def can(role: str, act: str) -> bool:
    """Whether who has C{role} may do something: what L{LEAST} lists, or any command by name."""
    return may(role, least(act))


def had(account: str, settings: RoomSettings | None) -> str:
    """
    @param account: the key of one, or nothing for a guest.
    @param settings: of a room; L{None} for the server.
    @return: the role that comes with it.
    """
    if not account:
        return GUEST
    if settings is not None and settings.owner == account:
        return OWNER
    if settings is not None and account in settings.moderators:
        return MODERATOR
    return MEMBER


def outranks(role: str, other: str) -> bool:
    """Whether who has C{role} may give orders to who has C{other}."""
    return _RANK[role] > _RANK[other]


def may(role: str, wanted: str) -> bool:
    """Whether who has C{role} may do what is for those who have the role C{wanted}."""
    return _RANK[role] >= _RANK[wanted]
