/* What a message of the load says: who sent it, its number, and when.
 *
 * A payload is "Zq", the sender (3 characters), the number (5) and the nanoseconds since the
 * start (8), six bits a character, filled up with "x".  All characters are printable ASCII from
 * '0' on, so that every server passes them on as they are, and each line that arrives can be
 * checked by itself: was it sent, has it come before, does one miss, how long did it take.
 *
 * Latencies go into a histogram with 64 steps to each power of two: less than 2 % wrong,
 * whatever the range. */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <stdint.h>
#include <string.h>
#include <time.h>
#ifdef __BMI2__
#include <immintrin.h>
#endif

enum { PAYLOAD_LEAST = 20, PAYLOAD_MOST = 3000, NUMBER_BITS = 30 };

static inline uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void encode(char *to, uint64_t value, int characters) {
    while (characters--) {
        to[characters] = (char)('0' + (value & 63));
        value >>= 6;
    }
}

/* Eight characters, 48 bits. */
static inline uint64_t decode8(const char *from) {
#ifdef __BMI2__
    uint64_t raw;
    memcpy(&raw, from, 8);
    return _pext_u64(__builtin_bswap64(raw) - 0x3030303030303030u, 0x3f3f3f3f3f3f3f3fu);
#else
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 6 | (uint64_t)((from[i] - '0') & 63);
    return value;
#endif
}

static inline void payload_write(char *to, int size, uint32_t sender, uint32_t number,
                                 uint64_t at) {
    memset(to, 'x', (size_t)size);
    memcpy(to, "Zq", 2);
    encode(to + 2, sender, 3);
    encode(to + 5, number, 5);
    encode(to + 10, at, 8);
}

/* Whether a line ends in a payload; then who, which, and when. */
static inline int payload_read(const char *line, int length, int size, uint32_t *sender,
                               uint32_t *number, uint64_t *at) {
    const char *p = line + length - size;
    if (length < size || p[0] != 'Z' || p[1] != 'q') return 0;
    uint64_t both = decode8(p + 2);
    *sender = (uint32_t)(both >> NUMBER_BITS);
    *number = (uint32_t)(both & ((1u << NUMBER_BITS) - 1));
    *at = decode8(p + 10);
    return 1;
}

struct histogram {
    uint64_t counts[64 * 64], total, most;
};

static inline void histogram_add(struct histogram *h, uint64_t value) {
    int slot = (int)value;
    if (value >= 64) {
        int power = 63 - __builtin_clzll(value);
        slot = (power - 5) * 64 + (int)(value >> (power - 6) & 63);
    }
    h->counts[slot]++;
    h->total++;
    if (value > h->most) h->most = value;
}

/* The value below which a share of all lies. */
static inline double histogram_quantile(const struct histogram *h, double share) {
    uint64_t wanted = (uint64_t)(share * (double)h->total), passed = 0;
    for (int slot = 0; slot < 64 * 64; slot++) {
        passed += h->counts[slot];
        if (passed <= wanted) continue;
        if (slot < 64) return slot;
        return (double)((64ull + (uint64_t)slot % 64) << (slot / 64 - 1));
    }
    return (double)h->most;
}

#endif
