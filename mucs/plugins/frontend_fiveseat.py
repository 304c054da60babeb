from mucs.plugin import FrontEnd

fiveseat = FrontEnd(
    "fiveseat", "five seats and a waiting room (usually tcp:9909)", "mucs.line.systems.fiveseat"
)
