CREATE TABLE requests (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL UNIQUE,
    call_sha256 TEXT NOT NULL,       -- SHA-256 of what is asked for: primitive, input and, where it counts, the folder
    primitive TEXT NOT NULL,
    state TEXT NOT NULL,
    waiting INTEGER NOT NULL,        -- 1 while a person has to decide
    record TEXT NOT NULL,            -- JSON: everything else
    requested_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX requests_by_call ON requests (call_sha256, number);
CREATE INDEX requests_waiting ON requests (number) WHERE coalesce(waiting, 1) <> 0;
CREATE INDEX requests_by_expiry ON requests (expires_at) WHERE waiting = 1;
