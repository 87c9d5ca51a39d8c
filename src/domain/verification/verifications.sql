CREATE TABLE verifications (
    name TEXT PRIMARY KEY,           -- digest of all that a verification depends on
    series TEXT NOT NULL,            -- the same without how often checks were to be run
    subject TEXT NOT NULL,           -- the random id under which its host has it
    key TEXT NOT NULL,               -- what its result is sealed with; empty once it is recorded
    record TEXT,                     -- JSON: what was found; null while it is under way
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE INDEX verifications_by_series ON verifications (series, created_at);
