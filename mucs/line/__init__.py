r"""The line front end: everyone who speaks in lines, from netcat to the five reports' clients.

Bytes from the socket pass `telnet` (strips telnet's commands), then `framing` (makes every end of
a frame a ``\n``), and then Twisted's LineReceiver.
"""
