CREATE INDEX tasks_by_approval ON tasks (number) WHERE readiness = 'approval';
