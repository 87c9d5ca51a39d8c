CREATE TABLE hook_deliveries (
    number INTEGER PRIMARY KEY,
    delivery_id TEXT NOT NULL UNIQUE,
    hook TEXT NOT NULL,
    due_at TEXT,                     -- when it is tried next; none once it has ended
    record TEXT NOT NULL             -- JSON: everything
) STRICT;
CREATE INDEX hook_deliveries_by_due ON hook_deliveries (due_at);
CREATE INDEX hook_deliveries_by_hook ON hook_deliveries (hook, number);
