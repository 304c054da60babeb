# mypy: ignore-errors
# The client of the report that aims at TCP and opens a UDP socket: with the one word mended, and
# its port an argument. The rest is as it is printed.
#!/bin/python

import select
import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)

sock.connect(("127.0.0.1", int(sys.argv[1])))
print("Connected!")

while True:
    read, write, error = select.select([sys.stdin, sock], [], [])
    print(read)
    for r in read:
        # print(r)
        if r == sock:
            msg = sock.recv(2048)
            print(msg.decode())
        else:
            msg = sys.stdin.readline()
            sock.send(msg.encode())

sock.close()
