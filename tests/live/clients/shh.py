# mypy: ignore-errors
# The client of the SHH chat server. Its two functions are as the report prints them; what stands
# around them it does not print, only what they show ("Enter port: ", "Enter host: ") and need.
from socket import AF_INET, SOCK_STREAM, socket
from threading import Thread

BufferSize = 1024


#Send Function call for the client to send messages on the server.
def sendMessages():
    sendMessage=input()
    clientConnection.send(bytes(sendMessage, "utf8"))
    if sendMessage == "!q":
        clientConnection.close()
        exit()
    sendMessages()


#Receive function call for the client to receive messages from other clients connected to the server.  # noqa: E501
def recvMessages():
    while True:
        try:
            messageRecieved = clientConnection.recv(BufferSize ).decode("utf8")
            print(messageRecieved)
        except OSError: #Chance of an exception arises if the client has decided to close his connection.  # noqa: E501
            break


port = int(input("Enter port: "))
host = input("Enter host: ")
clientConnection = socket(AF_INET, SOCK_STREAM)
clientConnection.connect((host, port))
Thread(target=recvMessages).start()
sendMessages()
