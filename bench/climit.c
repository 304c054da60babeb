/* The C limit: what one core of this machine can do for a chat, in one thread with one epoll.
 *
 * First line "NAME ROOM", answered "+OK NAME ROOM"; every later line goes to the others in the
 * room as "NAME: line".  It does nothing else: no rules, no names to check, no log.  What is
 * measured against it is measured against the sockets themselves.
 *
 * Like everything fast here it coalesces.  All lines that one epoll_wait brings gather in the
 * buffer of their room, and each member gets the buffer with one send; who spoke gets it with
 * sendmsg, without the pieces that are their own.  What a socket does not take waits in a
 * buffer of its member, without bound.
 *
 * usage: climit [-a] [-l SHARE] PORT
 *   -a        tell the room of everyone who joins: "* NAME joined"
 *   -l SHARE  linger: before the lines are sent, poll again until nothing new comes, and then for
 *             SHARE of the time that sending took last, at most 60 us; all in all at most 2 ms */
#define _GNU_SOURCE
#include "buffer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 65536, ROOMS = 65536, EVENTS = 8192, PIECES = 1000, NAME = 20 };
#define LINGER_MOST 60e-6
#define GATHER_MOST 2e-3

struct slice {
    size_t from, to;
};

struct client {
    int fd, room, place; /* place: in the room's list */
    int named, nameLength;
    char name[NAME + 2]; /* with ": " */
    struct buffer in, out;
    size_t done;         /* bytes of `out` that are sent */
    struct slice *own;   /* what of the room's buffer is not for this one */
    int owns, ownSpace;
};

struct room {
    int *members, count, space; /* by fd */
    int *speakers, speaking, speakerSpace;
    int dirty;
    struct buffer lines;
};

static struct client *clients[CLIENTS];
static struct room rooms[ROOMS];
static int dirty[ROOMS], dirtyRooms;
static int epoll, announce;
static double linger = -1;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void append(int **list, int *count, int *space, int value) {
    if (*count == *space) *list = realloc(*list, (size_t)(*space = *space * 2 + 8) * sizeof **list);
    (*list)[(*count)++] = value;
}

static void want(struct client *c, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = c->fd};
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
}

/* Sending. */

static void output(struct client *c, struct iovec *pieces, int count) {
    ssize_t sent = 0;
    int waits = c->out.length > c->done;
    if (!waits) {
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
        sent = count == 1 ? send(c->fd, pieces->iov_base, pieces->iov_len, MSG_NOSIGNAL)
                          : sendmsg(c->fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return; /* its end is read soon */
        if (sent < 0) sent = 0;
        c->out.length = c->done = 0;
    }
    for (int i = 0; i < count; i++) {
        size_t length = pieces[i].iov_len, skip = (size_t)sent < length ? (size_t)sent : length;
        sent -= (ssize_t)skip;
        if (skip < length) buffer_put(&c->out, (char *)pieces[i].iov_base + skip, length - skip);
    }
    if (!waits && c->out.length) want(c, EPOLLIN | EPOLLOUT);
}

/* The room's buffer without one's own lines. */
static void outputOthers(struct client *c, struct buffer *lines) {
    struct iovec pieces[PIECES];
    size_t at = 0;
    int count = 0;
    for (int i = 0; i <= c->owns; i++) {
        size_t to = i < c->owns ? c->own[i].from : lines->length;
        if (to > at) pieces[count++] = (struct iovec){lines->bytes + at, to - at};
        if (i < c->owns) at = c->own[i].to;
        if (count && (count == PIECES || i == c->owns)) {
            output(c, pieces, count);
            count = 0;
        }
    }
}

static void flushRoom(struct room *r) {
    struct iovec all = {r->lines.bytes, r->lines.length};
    for (int i = 0; i < r->count; i++) {
        struct client *c = clients[r->members[i]];
        if (c->owns) outputOthers(c, &r->lines);
        else output(c, &all, 1);
    }
    for (int i = 0; i < r->speaking; i++) clients[r->speakers[i]]->owns = 0;
    r->speaking = 0;
    r->lines.length = 0;
    r->dirty = 0;
}

/* Gathering. */

/* This is not for the client, who said it or was not there yet. */
static void skip(struct client *c, struct room *r, size_t from) {
    if (!c->owns) append(&r->speakers, &r->speaking, &r->speakerSpace, c->fd);
    if (c->owns && c->own[c->owns - 1].to == from) {
        c->own[c->owns - 1].to = r->lines.length;
        return;
    }
    if (c->owns == c->ownSpace)
        c->own = realloc(c->own, (size_t)(c->ownSpace = c->ownSpace * 2 + 2) * sizeof *c->own);
    c->own[c->owns++] = (struct slice){from, r->lines.length};
}

static void say(struct client *c, const char *head, int headLength, const char *text, int length) {
    struct room *r = &rooms[c->room];
    size_t from = r->lines.length;
    if (!r->dirty) dirty[dirtyRooms++] = c->room;
    r->dirty = 1;
    buffer_put(&r->lines, head, (size_t)headLength);
    buffer_put(&r->lines, text, (size_t)length);
    buffer_put(&r->lines, "\r\n", 2);
    skip(c, r, from);
}

static void join(struct client *c, const char *line, int length) {
    char text[80];
    const char *space = memchr(line, ' ', (size_t)length);
    int name = space ? (int)(space - line) : length;
    if (name > NAME) name = NAME;
    memcpy(c->name, line, (size_t)name);
    memcpy(c->name + name, ": ", 2);
    c->nameLength = name + 2;
    c->named = 1;
    c->room = space && space + 2 < line + length ? atoi(space + 2) & (ROOMS - 1) : 0; /* "r12" */
    struct room *r = &rooms[c->room];
    c->place = r->count;
    append(&r->members, &r->count, &r->space, c->fd);
    struct iovec answer = {text, 0};
    answer.iov_len = (size_t)snprintf(text, sizeof text, "+OK %.*s\r\n", name, line);
    output(c, &answer, 1);
    if (r->lines.length) skip(c, r, 0);
    if (announce) say(c, "", 0, text, snprintf(text, sizeof text, "* %.*s joined", name, c->name));
}

static void line(struct client *c, const char *text, int length) {
    if (length && text[length - 1] == '\r') length--;
    if (c->named) say(c, c->name, c->nameLength, text, length);
    else join(c, text, length);
}

/* Connections. */

static void arrive(int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= CLIENTS) exit(1);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        clients[fd] = calloc(1, sizeof **clients);
        clients[fd]->fd = fd;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
}

static void leave(struct client *c) {
    if (c->named) {
        struct room *r = &rooms[c->room];
        int last = r->members[--r->count];
        r->members[c->place] = last;
        clients[last]->place = c->place;
        for (int i = 0; i < r->speaking; i++)
            if (r->speakers[i] == c->fd) r->speakers[i--] = r->speakers[--r->speaking];
    }
    clients[c->fd] = NULL;
    close(c->fd);
    buffer_drop(&c->in);
    buffer_drop(&c->out);
    free(c->own);
    free(c);
}

static void writable(struct client *c) {
    size_t rest = c->out.length - c->done;
    ssize_t sent = send(c->fd, c->out.bytes + c->done, rest, MSG_NOSIGNAL);
    if (sent > 0) c->done += (size_t)sent;
    if (c->done == c->out.length) {
        buffer_drop(&c->out);
        c->done = 0;
        want(c, EPOLLIN);
    } else if (c->done > c->out.length / 2) {
        c->out.length -= c->done;
        memmove(c->out.bytes, c->out.bytes + c->done, c->out.length);
        c->done = 0;
    }
}

static void readable(struct client *c) {
    static char bytes[65536];
    ssize_t got = recv(c->fd, bytes, sizeof bytes, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        leave(c);
        return;
    }
    struct buffer held = c->in;
    char *from = bytes, *end = bytes + got, *stop;
    c->in = (struct buffer){0};
    if (held.length) {
        buffer_put(&held, bytes, (size_t)got);
        from = held.bytes;
        end = from + held.length;
    }
    while ((stop = memchr(from, '\n', (size_t)(end - from)))) {
        line(c, from, (int)(stop - from));
        from = stop + 1;
    }
    if (from < end) buffer_put(&c->in, from, (size_t)(end - from));
    buffer_drop(&held);
}

static int listenOn(int port) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (void *)&at, sizeof at) || listen(fd, 4096)) {
        perror("climit");
        exit(1);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    return fd;
}

/* Whether more is to be gathered first; `came`: whether the last poll brought anything. */
static int lingers(double *begun, double cost, int came) {
    if (linger < 0) return 0;
    double at = now(), patience = linger * cost < LINGER_MOST ? linger * cost : LINGER_MOST;
    if (!*begun) return *begun = at, 1;
    return at - *begun < GATHER_MOST && (came || at - *begun < patience);
}

int main(int argc, char **argv) {
    static struct epoll_event events[EVENTS];
    double begun = 0, cost = 0;
    int option;
    while ((option = getopt(argc, argv, "al:")) != -1) {
        if (option == 'a') announce = 1;
        else if (option == 'l') linger = atof(optarg);
        else return 2;
    }
    if (optind != argc - 1) return 2;
    epoll = epoll_create1(0);
    int listener = listenOn(atoi(argv[optind]));
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, begun ? 0 : -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) arrive(listener);
            else if (clients[fd] && events[i].events & EPOLLOUT) writable(clients[fd]);
            if (fd != listener && clients[fd] && events[i].events & ~(uint32_t)EPOLLOUT)
                readable(clients[fd]);
        }
        if (!dirtyRooms || lingers(&begun, cost, n > 0)) continue;
        double at = linger < 0 ? 0 : now();
        for (int i = 0; i < dirtyRooms; i++) flushRoom(&rooms[dirty[i]]);
        if (linger >= 0) cost = now() - at;
        dirtyRooms = 0;
        begun = 0;
    }
}
