ALTER TABLE task_events ADD COLUMN number INTEGER;  -- among the events of all tasks; none of those from before
ALTER TABLE task_events ADD COLUMN kind TEXT;
CREATE UNIQUE INDEX task_events_by_number ON task_events (number);
CREATE INDEX task_events_by_kind ON task_events (kind, number);
