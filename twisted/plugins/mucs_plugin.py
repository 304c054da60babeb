"""
C{twistd mucs}, and C{--auth accounts}: this file names the service, and what keeps the passwords of
its own accounts, and imports nothing of them.
"""

from twisted.application.service import ServiceMaker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.strcred import ICheckerFactory
from twisted.plugin import IPlugin
from zope.interface import implementer

mucs = ServiceMaker("MUCS", "mucs.tap", "a multi-user chat service", "mucs")


@implementer(IPlugin, ICheckerFactory)
class Accounts:
    """The names and passwords that people have registered; of use in MUCS only."""

    authType = "accounts"
    authHelp = "Accounts that people have made with /register in MUCS."
    argStringFormat = "No argument: they are in the database of the log."
    credentialInterfaces = (IUsernamePassword,)

    def generateChecker(self, argstring: str) -> object:
        if argstring:
            raise ValueError("it takes no argument")
        from mucs.realm import OwnAccounts

        return OwnAccounts()


accounts = Accounts()
