CREATE TABLE audit_head (
    name TEXT PRIMARY KEY,           -- always 'audit'
    record TEXT NOT NULL,            -- JSON: number and digest of the newest entry
    digest TEXT NOT NULL             -- SHA-256 of record
) STRICT;
