from mucs.plugin import FrontEnd

cstring = FrontEnd(
    "cstring", "for clients that send C strings (usually tcp:7000)", "mucs.line.systems.cstring"
)
