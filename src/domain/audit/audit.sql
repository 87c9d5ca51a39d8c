CREATE TABLE audit (
    number INTEGER PRIMARY KEY,      -- 1, 2, 3, without a gap
    record TEXT NOT NULL,            -- JSON: what happened, its number included
    previous TEXT NOT NULL,          -- the digest of the entry before; 64 zeros for the first
    digest TEXT NOT NULL             -- SHA-256 of previous, a line feed, and record
) STRICT;
