CREATE TABLE queue_ledger (
    name TEXT NOT NULL PRIMARY KEY,  -- one row
    record TEXT NOT NULL             -- JSON: counts, which can be made again from the tasks
) STRICT;
