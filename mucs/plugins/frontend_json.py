from mucs.plugin import FrontEnd

json = FrontEnd("json", "one JSON object a line, for bots and clients", "mucs.line.jsonlines.json")
