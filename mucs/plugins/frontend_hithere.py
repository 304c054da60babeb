from mucs.plugin import FrontEnd

hithere = FrontEnd(
    "hithere", 'for clients of "Hi there" (usually tcp:8000)', "mucs.line.systems.hithere"
)
