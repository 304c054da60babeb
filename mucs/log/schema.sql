-- What was said, for good.  Version 3: PRAGMA user_version.  The file is ours if its application_id
-- is 0x4d554353, "MUCS".  Times are milliseconds since 1970-01-01 UTC.

-- A room is known for good, by the name it was first given.
CREATE TABLE rooms (
    room   INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,               -- as it is shown, without '#'
    key    TEXT NOT NULL,               -- the name folded, by which it is found: see mark 'folding'
    head   INTEGER NOT NULL DEFAULT 0,  -- seq of its last event, which is there unless pruned
    time   INTEGER NOT NULL DEFAULT 0,  -- of that event: time never goes back within a room
    pruned INTEGER NOT NULL DEFAULT 0,  -- seq up to which its events were removed
    topic  TEXT NOT NULL DEFAULT ''
);
CREATE INDEX keys ON rooms (key);

-- One row an event, in the order they were stored.
CREATE TABLE events (
    event  INTEGER PRIMARY KEY,         -- over all rooms
    room   INTEGER NOT NULL REFERENCES rooms,
    seq    INTEGER NOT NULL,            -- from 1 without gaps within a room
    time   INTEGER NOT NULL,
    kind   TEXT NOT NULL,               -- mucs/events.py has them
    author TEXT NOT NULL,               -- the name, at that time
    text   TEXT NOT NULL,
    target TEXT NOT NULL,               -- of a rename, the new name; of an undo, the seq
    id     TEXT NOT NULL DEFAULT '',    -- what the client that sent it calls it, or nothing
    withdrawn INTEGER NOT NULL DEFAULT 0 -- 1: its text is shown to nobody
);

-- Reading a room, from any place in it.
CREATE UNIQUE INDEX places ON events (room, seq);

-- The same id twice is stored once.
CREATE UNIQUE INDEX ids ON events (room, author, id) WHERE id != '';

-- Who is in which room, as far as joins and leaves say; after a crash they all get a leave.
CREATE TABLE present (
    room INTEGER NOT NULL REFERENCES rooms,
    name TEXT NOT NULL,
    PRIMARY KEY (room, name)
) WITHOUT ROWID;

-- Small things that are kept for a while: where someone whose line was lost had read to.
CREATE TABLE remembered (
    key   TEXT PRIMARY KEY,             -- of a token, its SHA-256
    value BLOB NOT NULL,
    until INTEGER NOT NULL              -- time from which it is gone
) WITHOUT ROWID;
CREATE INDEX expiry ON remembered (until);

-- Small things that are kept for good: accounts, the rooms' settings, bans.
CREATE TABLE records (
    kind  TEXT NOT NULL,                -- what it is; mucs/records.py
    key   TEXT NOT NULL,
    value BLOB NOT NULL,                -- JSON
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;

-- Words of what was said and not withdrawn, as far as mark 'indexed' says; past it one looks
-- through.  The room is a word of its own, so that a search does not walk over other rooms.  Of the
-- text, what mucs/signs.py makes of it.
CREATE VIRTUAL TABLE words USING fts5 (
    room, text,
    content = 'events', content_rowid = 'event', tokenize = 'unicode61 remove_diacritics 2'
);

-- Pieces of the index are merged between the turns, and never when something is stored.
INSERT INTO words (words, rank) VALUES ('automerge', 0), ('crisismerge', 1000);

CREATE TABLE marks (
    name  TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;

INSERT INTO marks VALUES
    ('indexed', 0),                     -- the last event whose words are in the index
    ('folding', '');                    -- what made the keys of rooms; if it is another, they are
                                        -- made again, since folding follows Unicode's versions
