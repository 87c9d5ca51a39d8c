CREATE TABLE authorizations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    authorization_id TEXT NOT NULL UNIQUE,
    idempotency_key TEXT NOT NULL,
    scope TEXT,                      -- of a grant for calls of a scope; none for one request
    live INTEGER NOT NULL,           -- 1 while it is neither used up nor revoked
    record TEXT NOT NULL,            -- JSON: everything else
    granted_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX authorizations_by_scope ON authorizations (scope, live, expires_at);
CREATE INDEX authorizations_by_key ON authorizations (idempotency_key, number);
CREATE INDEX authorizations_by_life ON authorizations (live, number);
