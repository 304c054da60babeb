from mucs.plugin import FrontEnd

addr = FrontEnd(
    "addr", "people are called by their address (usually tcp:8888)", "mucs.line.systems.addr"
)
