from mucs.plugin import FrontEnd

shh = FrontEnd(
    "shh", "for clients of the SHH chat server (usually tcp:33000)", "mucs.line.systems.shh"
)
