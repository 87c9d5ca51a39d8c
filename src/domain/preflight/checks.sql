CREATE TABLE checks (                -- a cache: preflights that passed
    host TEXT NOT NULL,
    subject TEXT NOT NULL,           -- digest of what was checked
    answer TEXT NOT NULL,            -- JSON
    at TEXT NOT NULL,
    at_epoch INTEGER NOT NULL,
    PRIMARY KEY (host, subject)
) STRICT;
