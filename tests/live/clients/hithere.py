# mypy: ignore-errors
# The client of the report with "Hi there", which is Python 2. In Python 3 what is sent and received
# are bytes, and print is a function; and its port is an argument. The rest is as it is printed.
# client for chat room
import select
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
IP_ADDRESS = "127.0.0.1"
PORT = int(sys.argv[1])
server.connect((IP_ADDRESS, PORT))
while True:
    sockets = [sys.stdin, server]
    read_sockets, write_socket, error_socket = select.select(sockets,[],[])
    for sock in read_sockets:
        if sock == server:
            message = sock.recv(2048)
            sys.stdout.buffer.write(message + b"\n")
        else:
            message = sys.stdin.readline()
            server.send(message.encode())
            sys.stdout.write("<You>")
            sys.stdout.write(message)
            sys.stdout.flush()
server.close()
