/* The members of the load: what each of them says, hears and checks, and the one epoll that tells
 * of all of them.
 *
 * Always true: `arrived` counts each message once for each member for whom it was expected, and
 * `expected` grows when it is said; of a sender's messages those before `base` are complete.  Slow
 * members are in nobody's count: `slow` tells them from the others wherever something is counted.
 * `touched` holds the senders for whom a message has become complete since the last turn. */
#ifndef CLIENT_H
#define CLIENT_H

#include "payload.h"
#include "wire.h"

#include <sys/syscall.h>
#include <unistd.h>

enum state { NEW, CONNECTING, SHAKING, GREETING, JOINED, GONE };
enum { EVENTS = 8192, READS = 4, BUFFER = 1 << 18, TICK = 100000000 /* ns, for slow readers */ };

struct client {
    struct wire wire;
    enum state state;
    int id, room, welcomes, touched;
    int slow;               /* it reads only when its time comes, and nobody waits for it */
    char *part;             /* the beginning of a line */
    size_t held, space;
    uint32_t next, base;    /* sender: number of its next message, of the first incomplete one */
    uint32_t *missing;      /* sender: who still misses a message, by number, in a ring */
    uint32_t *seen;         /* receiver: the number that comes next, by sender */
};

static int port = 7000, members = 10, senders = 1, size = 64, window = 1, rooms = 1, hold = 0;
static int atOnce = 64, stalled = 0, slow = 0, slowBytes = 1000, server = 0;
static double duration = 1.5, warmup = 0.5, rate = 0, patience = 15;
static char talk = 'n'; /* "NAME ROOM" and "+OK"; m: MUCS; i: IRC */

static struct client *clients, **touched;
static int everyone, *audience, ntouched, opened, inflight, joined, lostMembers, lostSlow;
static uint32_t ring;
static uint64_t start, lastRead;
static int measuring;
static struct histogram delays;
static uint64_t sent, expected, arrived, reads, repeated, gaps, own, announced;
static uint64_t slowLines, slowGaps, slowSkipped;

static void gone(struct client *c) {
    if (c->state == GONE) return;
    if (c->state == JOINED) joined--;
    else inflight--;
    if (c->slow && c->state == JOINED) lostSlow++;
    else lostMembers++;
    c->state = GONE;
    epoll_ctl(epoll, EPOLL_CTL_DEL, c->wire.fd, NULL);
}

static void flush(struct client *c) {
    if (wire_flush(&c->wire, c) == LOST) gone(c);
}

/* Speaking. */

static void say(struct client *c, uint64_t at) {
    char line[PAYLOAD_MOST + 64];
    int head = talk == 'i' ? sprintf(line, "PRIVMSG #r%d :", c->room) : 0;
    payload_write(line + head, size, (uint32_t)c->id, c->next, at - start);
    memcpy(line + head + size, "\r\n", 2);
    buffer_put(&c->wire.out, line, (size_t)(head + size + 2));
    c->missing[c->next++ & (ring - 1)] = (uint32_t)audience[c->room];
    sent++;
    expected += (uint64_t)audience[c->room];
}

/* Closed loop: fill the window again. */
static void refill(struct client *c) {
    uint64_t at = now();
    if (c->state != JOINED || c->next - c->base >= (uint32_t)window) return;
    while (c->next - c->base < (uint32_t)window) say(c, at);
    if (!(c->wire.wanted & EPOLLOUT)) flush(c);
}

/* Open loop: say everything that is due by now, and return when the next one is.  `touched`, empty
 * between turns, holds who has something to say, so that each of them writes once. */
static uint64_t catchUp(uint64_t begin, uint64_t *number, uint64_t *late) {
    double interval = 1e9 / rate;
    uint64_t at = now(), due;
    while ((due = begin + (uint64_t)((double)*number * interval)) <= at) {
        struct client *c = &clients[(*number)++ % (uint64_t)senders];
        if (at - due > *late) *late = at - due;
        if (c->next - c->base < ring) say(c, due);
        else expected += (uint64_t)audience[c->room]; /* so far behind that it is lost */
        if (!c->touched) touched[ntouched++] = c;
        c->touched = 1;
    }
    while (ntouched) {
        struct client *c = touched[--ntouched];
        c->touched = 0;
        if (!(c->wire.wanted & EPOLLOUT)) flush(c);
    }
    return due;
}

/* Coming in. */

static void greet(struct client *c) {
    char line[200];
    int n;
    c->state = GREETING;
    if (talk == 'i')
        n = sprintf(line, "NICK u%05d\r\nUSER u%05d 0 * :x\r\n", c->id, c->id);
    else if (talk == 'm' && rooms > 1)
        n = sprintf(line, "u%05d\r\n/join r%d\r\n", c->id, c->room);
    else if (talk == 'm')
        n = sprintf(line, "u%05d\r\n", c->id);
    else
        n = sprintf(line, "u%05d r%d\r\n", c->id, c->room);
    buffer_put(&c->wire.out, line, (size_t)n);
    flush(c);
}

static int begins(const char *line, size_t length, const char *with) {
    return length >= strlen(with) && !memcmp(line, with, strlen(with));
}

/* What a server says to one who is coming in: whether that one is in now. */
static int welcomed(struct client *c, const char *line, size_t length) {
    char answer[64];
    switch (talk) {
    case 'm':
        c->welcomes += begins(line, length, "-- you are ");
        return c->welcomes == (rooms > 1 ? 2 : 1);
    case 'i':
        if (memmem(line, length, " 001 ", 5)) {
            buffer_put(&c->wire.out, answer, (size_t)sprintf(answer, "JOIN #r%d\r\n", c->room));
            flush(c);
        } else if (begins(line, length, "ERROR"))
            fprintf(stderr, "%.*s\n", (int)length, line);
        return memmem(line, length, " 366 ", 5) != NULL;
    default:
        return begins(line, length, "+OK");
    }
}

/* A line that is no message of ours. */
static void otherLine(struct client *c, const char *line, size_t length) {
    if (c->state == GREETING && welcomed(c, line, length)) {
        c->state = JOINED;
        joined++;
        inflight--;
        if (c->slow) wire_want(&c->wire, c, 0);
    }
    if (length > 9 && *line == '*' && !memcmp(line + length - 7, " joined", 7)) announced++;
    if (c->slow && memmem(line, length, " skipped", 8)) slowSkipped += strtoul(line + 3, NULL, 10);
    if (begins(line, length, "PING ")) {
        buffer_put(&c->wire.out, "PONG ", 5);
        buffer_put(&c->wire.out, line + 5, length - 5);
        buffer_put(&c->wire.out, "\r\n", 2);
        flush(c);
    }
}

/* Hearing. */

static inline void heard(struct client *c, const char *line, size_t length, uint64_t at) {
    uint32_t from, number;
    uint64_t said;
    if (length && line[length - 1] == '\r') length--;
    if (!payload_read(line, (int)length, size, &from, &number, &said)) {
        otherLine(c, line, length);
        return;
    }
    struct client *sender = &clients[from];
    if (from >= (uint32_t)senders || number >= sender->next || number < c->seen[from]) {
        repeated++; /* or never said */
        return;
    }
    if (sender == c) {
        own++;
        return;
    }
    uint32_t skipped = number - c->seen[from];
    c->seen[from] = number + 1;
    if (c->slow) {
        slowLines++;
        slowGaps += skipped;
        return;
    }
    gaps += skipped;
    arrived++;
    if (measuring) histogram_add(&delays, at > start + said ? at - start - said : 0);
    if (--sender->missing[number & (ring - 1)] || number != sender->base) return;
    do sender->base++;
    while (sender->base < sender->next && !sender->missing[sender->base & (ring - 1)]);
    if (!sender->touched) touched[ntouched++] = sender;
    sender->touched = 1;
}

/* Read once, at most so many bytes: how many, or LATER or LOST. */
static int readOnce(struct client *c, size_t most) {
    static char buffer[BUFFER];
    if (most > sizeof buffer - c->held) most = sizeof buffer - c->held;
    if (c->held) memcpy(buffer, c->part, c->held);
    int got = wire_read(&c->wire, buffer + c->held, most);
    if (got < 0) return got;
    reads++;
    lastRead = now();
    char *from = buffer, *end = buffer + c->held + got, *stop;
    while (c->state != GONE && (stop = memchr(from, '\n', (size_t)(end - from)))) {
        heard(c, from, (size_t)(stop - from), lastRead);
        from = stop + 1;
    }
    c->held = (size_t)(end - from);
    if (c->held > c->space) c->part = realloc(c->part, c->space = c->held + 256);
    if (c->held) memcpy(c->part, from, c->held);
    return got;
}

static void readAll(struct client *c) {
    int got = 1;
    for (int i = 0; i < READS && got > 0 && c->state != GONE; i++) {
        size_t room = BUFFER - c->held;
        got = readOnce(c, room);
#ifdef TLS
        if (c->wire.ssl) continue;
#endif
        if (got > 0 && (size_t)got < room) return;
    }
    if (got == LOST) gone(c);
}

/* Let the slow ones read their share of a tick. */
static void readSlowly(void) {
    size_t share = (size_t)((double)slowBytes * TICK / 1e9);
    for (int i = members + stalled; i < everyone; i++)
        if (clients[i].state == JOINED && readOnce(&clients[i], share) == LOST) gone(&clients[i]);
}

/* Waiting. */

static void event(struct client *c, uint32_t events) {
    if (c->state == CONNECTING) {
        int error = wire_connected(&c->wire);
        if (error) fprintf(stderr, "connect: %s\n", strerror(error));
        if (error) gone(c);
        else c->state = SHAKING;
    }
    if (c->state == SHAKING) {
        int result = wire_shake(&c->wire, c);
        if (result == LOST) gone(c);
        if (!result) greet(c);
        return;
    }
    if (c->state == GONE) return;
    if (c->slow && c->state == JOINED) {
        if (events & (EPOLLHUP | EPOLLERR)) gone(c);
        return;
    }
    if (events & EPOLLOUT) flush(c);
    if (c->state != GONE && events & ~(uint32_t)EPOLLOUT) readAll(c);
}

/* Wait for at most so many nanoseconds, and do what comes: how much that was. */
static int turn(int64_t most) {
    static struct epoll_event events[EVENTS];
    static uint64_t tick;
    if (slow && most > TICK / 2) most = TICK / 2;
    struct timespec wait = {most / 1000000000, most % 1000000000};
    int n = (int)syscall(SYS_epoll_pwait2, epoll, events, EVENTS, &wait, NULL, 0);
    if (n < 0 && errno == ENOSYS) {
        fprintf(stderr, "gen: needs Linux 5.11 or newer\n");
        exit(2);
    }
    for (int i = 0; i < n; i++) event(events[i].data.ptr, events[i].events);
    if (slow && now() >= tick) {
        if (!tick) tick = now();
        tick += TICK;
        readSlowly();
    }
    return n;
}

#endif
