/* The load generator: many members of a chat server in one thread with one epoll.
 *
 * It connects MEMBERS clients, gives them names and rooms, and waits until all are in and it has
 * been quiet for 0.3 s.  Then the first SENDERS of them speak, in one of two ways:
 *
 *   closed loop (-w)  each sender has WINDOW messages under way; one is complete when every
 *                     other member of the room has it, and only then comes the next.  What is
 *                     measured is how many lines a second arrive: deliveries.
 *   open loop (-r)    so many messages a second are due, whether or not the server keeps up.
 *                     What is measured is the time from when a message was due until it arrives.
 *
 * Every line that arrives is checked (payload.h): nothing may be lost, come twice or out of
 * order, and nobody may hear oneself.  Besides there may be members who read nothing (-S) or
 * only so many bytes a second (-T, -B).  Nobody waits for them: a message is complete without
 * them, and their delays and what they miss are counted apart.  With -H nobody speaks: what
 * counts then is how long the coming in takes, and the memory it costs.
 *
 * It prints one line of JSON: durations in seconds unless the name says _us, memory in kB.
 * It ends by itself: all waiting is bounded. */
#define _GNU_SOURCE
#include "client.h"
#include "process.h"

#include <sys/prctl.h>

enum { JOIN_LIMIT = 60 /* s */ };

static void options(int argc, char **argv) {
    int option;
    while ((option = getopt(argc, argv, "p:n:s:m:w:r:d:W:k:R:P:xHc:D:S:T:B:")) != -1) {
        switch (option) {
        case 'p': port = atoi(optarg); break;       /* where the server listens */
        case 'n': members = atoi(optarg); break;
        case 's': senders = atoi(optarg); break;
        case 'm': size = atoi(optarg); break;       /* bytes of a payload */
        case 'w': window = atoi(optarg); break;     /* messages under way, of each sender */
        case 'r': rate = atof(optarg); break;       /* messages a second, of all senders */
        case 'd': duration = atof(optarg); break;   /* seconds measured */
        case 'W': warmup = atof(optarg); break;     /* seconds before that */
        case 'k': talk = *optarg; break;            /* name, mucs, irc */
        case 'R': rooms = atoi(optarg); break;      /* members are spread over so many */
        case 'P': server = atoi(optarg); break;     /* the server's process id */
        case 'x':
            if (wire_tls()) break;
            fprintf(stderr, "gen: compiled without TLS\n");
            exit(2);
        case 'H': hold = 1; break;                  /* only come in and stay */
        case 'c': atOnce = atoi(optarg); break;     /* connections made at a time */
        case 'D': patience = atof(optarg); break;   /* seconds to wait for what is late */
        case 'S': stalled = atoi(optarg); break;    /* members more, who never read */
        case 'T': slow = atoi(optarg); break;       /* members more, who read slowly */
        case 'B': slowBytes = atoi(optarg); break;  /* bytes a second, of each of them */
        default: exit(2);
        }
    }
    if (senders > members) senders = members;
    if (size < PAYLOAD_LEAST) size = PAYLOAD_LEAST;
    if (size > PAYLOAD_MOST) size = PAYLOAD_MOST;
    if (members < 1 || senders < 1 || rooms < 1 || window < 1 || atOnce < 1) exit(2);
}

/* Make the members, and spread them over the rooms; the last are those who read slowly or never. */
static void prepare(void) {
    everyone = members + stalled + slow;
    ring = 1;
    while (ring < (rate > 0 ? 1u << 16 : (uint32_t)window)) ring <<= 1;
    clients = calloc((size_t)everyone, sizeof *clients);
    touched = calloc((size_t)everyone, sizeof *touched);
    audience = calloc((size_t)rooms, sizeof *audience);
    epoll = epoll_create1(0);
    for (int i = 0; i < everyone; i++) {
        struct client *c = &clients[i];
        c->id = i;
        c->room = i % rooms;
        c->slow = i >= members;
        if (!c->slow) audience[c->room]++;
        if (hold) continue;
        c->seen = calloc((size_t)senders, sizeof *c->seen);
        if (i < senders) c->missing = calloc(ring, sizeof *c->missing);
    }
    for (int i = 0; i < rooms; i++) audience[i]--; /* nobody hears oneself */
}

/* Let everyone come in, and wait until it is quiet. */
static void comeIn(void) {
    long before = process_memory(server, "VmRSS:");
    double used = process_seconds(server);
    uint64_t limit = now() + JOIN_LIMIT * 1000000000ull;
    start = lastRead = now();
    while (joined + lostMembers + lostSlow < everyone && now() < limit) {
        while (inflight < atOnce && opened < everyone) {
            struct client *c = &clients[opened++];
            inflight++;
            c->state = CONNECTING;
            wire_open(&c->wire, c, port, c->slow);
        }
        turn(50000000);
    }
    double in = (double)(now() - start) / 1e9;
    used = process_seconds(server) - used;
    while (now() < lastRead + 300000000 && now() < limit) turn(50000000);
    long after = process_memory(server, "VmRSS:");
    printf("{\"members\":%d,\"joined\":%d,\"lost_members\":%d,\"join_s\":%.4f,\"told_s\":%.4f,"
           "\"announced\":%lu,\"join_cpu\":%.2f,\"memory_kb\":%ld,\"grown_kb\":%ld",
           everyone, joined, lostMembers, in, (double)(lastRead - start) / 1e9, announced,
           used / in, after, after - before);
}

/* The load.  What is counted is what arrives between the end of the warm-up and the end. */
static void load(void) {
    uint64_t begin = now(), from = begin + (uint64_t)(warmup * 1e9);
    uint64_t until = from + (uint64_t)(duration * 1e9), number = 0, late = 0, due = until, at;
    uint64_t readsBefore = 0, sentBefore = 0;
    double ours = 0, theirs = 0;
    long memory = 0;
    if (rate <= 0)
        for (int i = 0; i < senders; i++) refill(&clients[i]);
    while ((at = now()) < until && !lostMembers) {
        if (!measuring && at >= from) {
            measuring = 1;
            from = at;
            ours = own_seconds();
            theirs = process_seconds(server);
            process_forget_peak(server);
            memory = process_memory(server, "VmRSS:");
            readsBefore = reads;
            sentBefore = sent;
        }
        if (rate > 0) due = catchUp(begin, &number, &late);
        uint64_t next = measuring ? until : from;
        if (due < next) next = due;
        at = now();
        turn(next > at ? (int64_t)(next - at) : 0);
        for (int i = 0; i < ntouched; i++) {
            touched[i]->touched = 0;
            if (rate <= 0) refill(touched[i]);
        }
        ntouched = 0;
    }
    double seconds = (double)(now() - from) / 1e9;
    if (!measuring) seconds = 1e-9;
    measuring = 0;
    ours = own_seconds() - ours;
    theirs = process_seconds(server) - theirs;
    uint64_t messages = sent - sentBefore, batches = reads - readsBefore;
    long peak = process_memory(server, "VmHWM:");
    uint64_t limit = now() + (uint64_t)(patience * 1e9);
    while (arrived < expected && !lostMembers && now() < limit) turn(20000000);
    double count = (double)delays.total;
    printf(",\"seconds\":%.3f,\"deliveries\":%.0f,\"messages\":%.0f,\"p50_us\":%.1f,"
           "\"p99_us\":%.1f,\"worst_us\":%.1f,\"lines_a_read\":%.1f,\"generator_cpu\":%.2f,"
           "\"server_cpu\":%.2f,\"growth_kb\":%ld,\"late_us\":%.1f,\"complete\":%.9f,"
           "\"lost\":%lu,\"repeated\":%lu,\"gaps\":%lu,\"own\":%lu",
           seconds, count / seconds, (double)messages / seconds,
           histogram_quantile(&delays, .5) / 1e3, histogram_quantile(&delays, .99) / 1e3,
           (double)delays.most / 1e3, batches ? count / (double)batches : 0, ours / seconds,
           theirs / seconds, peak - memory, (double)late / 1e3,
           expected ? (double)arrived / (double)expected : 1, expected - arrived, repeated, gaps,
           own);
    printf(",\"lost_members_then\":%d,\"lost_slow\":%d,\"slow_lines\":%lu,\"slow_gaps\":%lu,"
           "\"slow_skipped\":%lu",
           lostMembers, lostSlow, slowLines, slowGaps, slowSkipped);
}

/* 0: all is well; 1: something was lost, repeated or out of order; 3: not all came in. */
int main(int argc, char **argv) {
    prctl(PR_SET_TIMERSLACK, 1);
    options(argc, argv);
    prepare();
    comeIn();
    int in = joined == everyone;
    if (in && !hold) load();
    printf("}\n");
    return !in ? 3 : expected != arrived || repeated || gaps || own || lostMembers;
}
