"""
A client as that of the report with five seats must have been, which prints none: it sends what is
typed in buffers of 256 bytes, padded with NULs, and shows what one C{recv} gives it as a C string.
"""

import socket
import sys
import threading

SIZE = 256


def listen(connection: socket.socket) -> None:
    """Show what comes, until nothing more will."""
    while buffer := connection.recv(SIZE):
        print(buffer.partition(b"\0")[0].decode(), flush=True)
    print("The connection is closed", flush=True)


def main(port: int) -> None:
    """Speak with the server at that port of this machine."""
    connection = socket.create_connection(("127.0.0.1", port))
    listener = threading.Thread(target=listen, args=(connection,))
    listener.start()
    for line in sys.stdin:
        connection.sendall(line.encode().ljust(SIZE, b"\0"))
    connection.shutdown(socket.SHUT_WR)
    listener.join()


main(int(sys.argv[1]))
