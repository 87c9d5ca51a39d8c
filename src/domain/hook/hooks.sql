CREATE TABLE hooks (
    name TEXT NOT NULL PRIMARY KEY,
    record TEXT NOT NULL             -- JSON: everything
) STRICT;
