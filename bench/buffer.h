/* Bytes that gather and are taken together. */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdlib.h>
#include <string.h>

struct buffer {
    char *bytes;
    size_t length, capacity;
};

static inline void buffer_put(struct buffer *b, const void *bytes, size_t length) {
    if (b->length + length > b->capacity) {
        b->capacity = (b->length + length) * 2 + 256;
        b->bytes = realloc(b->bytes, b->capacity);
    }
    memcpy(b->bytes + b->length, bytes, length);
    b->length += length;
}

static inline void buffer_drop(struct buffer *b) {
    free(b->bytes);
    *b = (struct buffer){0};
}

#endif
