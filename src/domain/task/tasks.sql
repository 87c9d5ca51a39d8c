CREATE TABLE tasks (
    number INTEGER PRIMARY KEY,      -- the number in the id
    task_id TEXT NOT NULL UNIQUE,
    idempotency_key TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    readiness TEXT NOT NULL,
    lane TEXT NOT NULL,              -- JSON: agent, host, needs
    priority INTEGER NOT NULL,
    due_at TEXT,                     -- when time alone changes something
    agent TEXT,
    finished_at TEXT,
    record TEXT NOT NULL             -- JSON: everything
) STRICT;
CREATE INDEX tasks_by_turn ON tasks (readiness, lane, priority DESC, number);
CREATE INDEX tasks_by_state ON tasks (state, number);
CREATE INDEX tasks_by_agent ON tasks (agent, number);
CREATE INDEX tasks_by_due ON tasks (due_at);
CREATE INDEX tasks_by_end ON tasks (finished_at);
