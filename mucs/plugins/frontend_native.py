from mucs.plugin import FrontEnd

native = FrontEnd(
    "native", "for people with nc or telnet, and for scripts", "mucs.line.dialect.native"
)
