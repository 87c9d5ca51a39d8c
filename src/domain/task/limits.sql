CREATE TABLE queue_limits (
    name TEXT NOT NULL PRIMARY KEY,
    record TEXT NOT NULL             -- JSON: everything
) STRICT;
