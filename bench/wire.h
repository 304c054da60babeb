/* A connection's bytes, plain or under TLS, never waiting.
 *
 * Always true: what could not be written waits in `out`, and is written on when the socket has
 * room, for which `wanted` asks epoll.  Compiled without -DTLS it needs no OpenSSL. */
#ifndef WIRE_H
#define WIRE_H

#include "buffer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#ifdef TLS
#include <openssl/ssl.h>
static SSL_CTX *tls; /* there is one if connections are to be under TLS */
#endif

enum { LOST = -1, LATER = -2 }; /* otherwise a count of bytes */

struct wire {
    int fd;
    uint32_t wanted; /* the epoll events asked for */
    struct buffer out;
    size_t done; /* bytes of `out` that are written */
#ifdef TLS
    SSL *ssl;
#endif
};

static int epoll = -1;

static void wire_want(struct wire *w, void *owner, uint32_t events) {
    if (w->wanted == events) return;
    struct epoll_event event = {.events = events, .data.ptr = owner};
    epoll_ctl(epoll, EPOLL_CTL_MOD, w->fd, &event);
    w->wanted = events;
}

/* Begin to connect to a port of this machine.  `far`: as from another place, with small segments
 * and buffers.  With those of loopback the kernel would hold megabytes for someone who does not
 * read, and the server would notice nothing for a minute. */
static void wire_open(struct wire *w, void *owner, int port, int far) {
    int one = 1, buffer = 4096, segment = 1400;
    struct linger reset = {1, 0}; /* or ports would stay taken for a minute */
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (w->fd < 0) {
        perror("socket");
        exit(2);
    }
    setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (far) {
        setsockopt(w->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
        setsockopt(w->fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    }
    if (connect(w->fd, (void *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
        perror("connect");
        exit(2);
    }
    w->wanted = EPOLLIN | EPOLLOUT;
    struct epoll_event event = {.events = w->wanted, .data.ptr = owner};
    epoll_ctl(epoll, EPOLL_CTL_ADD, w->fd, &event);
}

/* Whether it is connected, now that the socket says it is: 0, or the errno. */
static int wire_connected(struct wire *w) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &size);
#ifdef TLS
    if (!error && tls) {
        w->ssl = SSL_new(tls);
        SSL_set_fd(w->ssl, w->fd);
        SSL_set_connect_state(w->ssl);
    }
#endif
    return error;
}

#ifdef TLS
static int tls_outcome(struct wire *w, int result) {
    if (result > 0) return result;
    int error = SSL_get_error(w->ssl, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? LATER : LOST;
}
#endif

/* Agree on keys, if there are to be any: 0 when done. */
static int wire_shake(struct wire *w, void *owner) {
#ifdef TLS
    if (w->ssl) {
        int result = tls_outcome(w, SSL_do_handshake(w->ssl));
        if (result == LATER) wire_want(w, owner, EPOLLIN | (SSL_want_write(w->ssl) ? EPOLLOUT : 0));
        if (result < 0) return result;
    }
#endif
    wire_want(w, owner, EPOLLIN);
    return 0;
}

static int wire_read(struct wire *w, char *to, size_t size) {
#ifdef TLS
    if (w->ssl) return tls_outcome(w, SSL_read(w->ssl, to, (int)size));
#endif
    ssize_t got = recv(w->fd, to, size, 0);
    if (got > 0) return (int)got;
    return got < 0 && errno == EAGAIN ? LATER : LOST;
}

/* Write what waits, as far as there is room: 0, LATER or LOST. */
static int wire_flush(struct wire *w, void *owner) {
    while (w->done < w->out.length) {
        char *from = w->out.bytes + w->done;
        size_t size = w->out.length - w->done;
        int sent;
#ifdef TLS
        if (w->ssl)
            sent = tls_outcome(w, SSL_write(w->ssl, from, (int)size));
        else
#endif
        {
            sent = (int)send(w->fd, from, size, MSG_NOSIGNAL);
            if (sent < 0) sent = errno == EAGAIN ? LATER : LOST;
        }
        if (sent == LATER) wire_want(w, owner, EPOLLIN | EPOLLOUT);
        if (sent < 0) return sent;
        w->done += (size_t)sent;
    }
    w->out.length = w->done = 0;
    wire_want(w, owner, EPOLLIN);
    return 0;
}

/* Ask for TLS: whether it can be had. */
static int wire_tls(void) {
#ifdef TLS
    tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return 1;
#else
    return 0;
#endif
}

#endif
