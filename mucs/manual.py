"""
What C{twistd mucs --help} says besides the options: all that one needs to begin.
"""

#: What stands below the options in C{--help}; lines of at most 78 characters.
MANUAL = """
A multi-user chat service. Anyone joins with netcat, telnet or the clients of
five older chat systems, and all of them meet in the same rooms.

A PORT is an ENDPOINT, or FRONTEND@ENDPOINT.

  FRONTEND  who is expected there: one of the front ends that --list-plugins
            lists. Unless named it is native: for people with nc or telnet.
  ENDPOINT  where that is, written as everywhere in Twisted:
              tcp:7000                      every IPv4 address of this machine
              tcp:7000:interface=127.0.0.1  this machine only
              tcp6:7000                     IPv6 (and mostly IPv4 too)
              ssl:7443:privateKey=key.pem:certKey=cert.pem
              tls:FOLDER:7443               TLS with the .pem files in it
              unix:mucs.sock:mode=660       a socket in the file system
              systemd:domain=INET:index=0   a socket that systemd opened
              haproxy:tcp:7000              behind a proxy that says who it is
            A colon inside a path is written \\:

A certificate and the message of the day are looked for where twistd is
started, a UNIX socket in the folder that twistd's own --rundir names.

While it runs:

  SIGHUP    reads --config, the message of the day and all certificates
            again, and drops nobody; so does /reload, for admins. What can
            change only at the next start is named in the log. A renewed
            certificate is found without it, too.
  SIGTERM   says goodbye to everyone, and ends in good order.
  /status   in the chat says how it is; --metrics says it to programs.

--tls-self-signed keeps its key in mucs-tls.pem, where twistd runs, and tells
in the log what those who come need. It is for trying, and for friends.

Examples:

  twistd -n mucs
  twistd -n mucs --port tcp:7000 --port shh@tcp:33000
  twistd -n mucs --port 'ssl:7443:privateKey=key.pem:certKey=cert.pem'
  twistd -n mucs --tls-self-signed
  twistd -n mucs --metrics tcp:9100:interface=127.0.0.1 --log-json
  twistd -n mucs --config etc/mucs.toml
  nc localhost 7000

-n keeps twistd in the foreground, with its log on stdout; without it, it is
a daemon with twistd.log and twistd.pid. etc/mucs.service is for systemd.
"""
