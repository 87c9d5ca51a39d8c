//! The queue as one transaction sees it: where every change of a task is made.
//!
//! A task is changed by [`Desk::save`] alone, which keeps what follows from the change in step: the column by which it
//! is claimed, the counts of the ledger (and with them what is taken of the limits), and its events. What an end means to
//! the tasks that depend on it is settled before the transaction ends. The clock is read once the transaction has begun,
//! so that whoever waited for the lock does not write with a time that is over.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    budget::{Budget, Terms},
    error::Error,
    id::TaskId,
    ledger::Ledger,
    limit::{self, Limit},
    model::{Asked, Attempt, AttemptEnd, EVENT_KINDS, Event, Lease, Readiness, State, Task},
    readiness::{self, Reason},
    records, series,
    spec::OnDependencyFailure,
    spent::Spent,
};
use crate::{
    contract::{Effect, Name},
    domain::hook,
    system::{
        Context, clock, failpoint, files,
        store::{Connection, Damage, Fault, Written},
    },
};

/// Tasks that time has changed and that one transaction takes up.
const DUE_AT_ONCE: u32 = 500;

/// Bytes of randomness in an id.
const RANDOM: usize = 4;

/// Why a change was not made.
#[derive(Debug)]
pub(super) enum Stop {
    /// The database gave no answer.
    Database(Fault),
    /// It is refused.
    Refused(Box<Error>),
}

impl From<Fault> for Stop {
    fn from(error: Fault) -> Self {
        Self::Database(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Refused(Box::new(error))
    }
}

/// The queue, as one transaction sees it.
pub(super) struct Desk<'c> {
    /// The transaction.
    pub(super) connection: &'c Connection<'c>,
    /// The time, read once it had begun.
    pub(super) now: Timestamp,
    /// The counts.
    pub(super) ledger: Ledger,
    /// The limits. Of one that cannot be read there is nothing, so that nothing is taken of it that may not be there.
    pub(super) limits: Vec<Limit>,
    /// The names of those.
    pub(super) unknown_limits: Vec<Name>,
    changed: bool,
    unsettled: Vec<TaskId>,
    /// The hooks, once something has happened that they may be told of.
    hooks: Option<hook::Watching>,
    /// Whether something is to be delivered to one.
    tells: bool,
}

/// Carries out a change of the queue in one transaction, or in a dry run finds out what it would do.
///
/// The effect is `replayed` where nothing had to be changed.
pub(super) async fn transact<T>(
    context: &Context,
    dry_run: bool,
    change: impl FnOnce(&mut Desk<'_>) -> Result<T, Stop>,
) -> Result<(T, Effect), Error> {
    let mut tells = false;
    let done = context
        .store()?
        .write_metered(context.meter(), |transaction| {
            let mut desk = Desk::open(transaction)?;
            let value = match change(&mut desk).and_then(|value| desk.settle().map(|()| value)) {
                Ok(value) => value,
                Err(Stop::Refused(error)) => return Ok(Written::Unchanged(Err(*error))),
                Err(Stop::Database(error)) => return Err(error),
            };
            if dry_run {
                return Ok(Written::Unchanged(Ok((value, Effect::None))));
            }
            if !desk.changed {
                return Ok(Written::Unchanged(Ok((value, Effect::Replayed))));
            }
            desk.ledger.version += 1;
            records::put_ledger(transaction, &desk.ledger)?;
            tells = desk.tells;
            failpoint::reached("queue.changed");
            Ok(Written::Changed(Ok((value, Effect::Applied))))
        });
    let done = done.await?;
    failpoint::reached("queue.committed");
    if tells {
        hook::attend(context);
    }
    done
}

/// Reads the ledger, or counts all tasks where it is damaged, and says so.
pub(super) fn ledger(connection: &Connection<'_>) -> Result<(Ledger, Option<Damage>), Fault> {
    match records::ledger(connection)? {
        Ok(Some(ledger)) => Ok((ledger, None)),
        Ok(None) => Ok((records::counted(connection)?, None)),
        Err(damage) => Ok((records::counted(connection)?, Some(damage))),
    }
}

impl<'c> Desk<'c> {
    fn open(connection: &'c Connection<'c>) -> Result<Self, Fault> {
        let (ledger, damage) = ledger(connection)?;
        if let Some(damage) = damage {
            tracing::warn!(%damage, "the queue was counted again");
        }
        let now = connection.now()?;
        let limits = records::limits(connection)?.at(now);
        for damage in &limits.damaged {
            tracing::warn!(%damage, "nothing is taken of this limit");
        }
        let none = |name: &Name| Limit {
            name: name.clone(),
            total: Some(0),
            budget: Some(Budget::new(Terms::NOTHING, now)),
        };
        Ok(Self {
            connection,
            now,
            ledger,
            limits: limits
                .read
                .into_iter()
                .chain(limits.unknown.iter().map(none))
                .collect(),
            unknown_limits: limits.unknown,
            changed: false,
            unsettled: Vec::new(),
            hooks: None,
            tells: false,
        })
    }

    /// Finds a task, or refuses.
    pub(super) fn task(&self, task_id: &TaskId) -> Result<Task, Stop> {
        let found = records::find(self.connection, task_id)?;
        found.ok_or_else(|| {
            Error::NotFound {
                task_id: task_id.clone(),
            }
            .into()
        })
    }

    /// Returns the time now as it stands in records.
    pub(super) fn now_text(&self) -> String {
        clock::text(self.now)
    }

    /// Returns a time so many milliseconds from now as it stands in records.
    pub(super) fn in_ms(&self, ms: i64) -> String {
        let later = self.now.checked_add(SignedDuration::from_millis(ms));
        clock::text(later.unwrap_or(Timestamp::MAX))
    }

    /// Returns a time so many seconds from now as it stands in records.
    pub(super) fn in_s(&self, seconds: u64) -> String {
        self.in_ms(i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX))
    }

    /// Notes that something beside a task was changed.
    pub(super) const fn has_changed(&mut self) {
        self.changed = true;
    }

    /// Returns the version that the ledger has once this transaction is written.
    pub(super) fn version_after(&self) -> u64 {
        self.ledger.version + u64::from(self.changed)
    }

    /// Makes the id of the next task.
    pub(super) fn new_id(&mut self) -> Result<TaskId, Stop> {
        let random = files::random_hexadecimal(RANDOM).map_err(Error::Random)?;
        self.ledger.last_number += 1;
        Ok(TaskId::of(self.ledger.last_number, &random))
    }

    /// Writes a new task.
    pub(super) fn insert(&mut self, mut task: Task, others: &[TaskId]) -> Result<Task, Stop> {
        records::replace_dependencies(self.connection, &task.task_id, others)?;
        let unmet = records::unmet(self.connection, &task.task_id)?;
        (task.readiness, task.due_at) = readiness::of(&task, unmet, self.now);
        records::insert(self.connection, &task)?;
        self.ledger.enter(&task);
        self.changed = true;
        series::begin(self.connection, &task)?;
        let before = task.clone();
        let task = self.save(&before, task, Some(("enqueued", json!({}))))?;
        self.weigh_dependencies(task)
    }

    /// Writes a task as it is now; with an event, its version grows.
    pub(super) fn save(
        &mut self,
        before: &Task,
        mut after: Task,
        event: Option<(&'static str, Value)>,
    ) -> Result<Task, Stop> {
        after.updated_at = self.now_text();
        let unmet = match after.state {
            State::Waiting => records::unmet(self.connection, &after.task_id)?,
            State::Claimed
            | State::Paused
            | State::Held
            | State::Succeeded
            | State::Failed
            | State::Cancelled
            | State::Skipped
            | State::BudgetExhausted => 0,
        };
        (after.readiness, after.due_at) = readiness::of(&after, unmet, self.now);
        let mut followed = None;
        match (before.state.is_final(), after.state.is_final()) {
            (false, true) => {
                after.finished_at = Some(self.now_text());
                self.unsettled.push(after.task_id.clone());
                followed = self.follow(before, &mut after)?;
            }
            (true, false) => after.finished_at = None,
            (true, true) | (false, false) => {}
        }
        for (kind, data) in event.into_iter().chain(followed) {
            self.note(&mut after, kind, data)?;
        }
        self.ledger.leave(before);
        self.ledger.enter(&after);
        self.charge(&after.spec.budgets, after.spent().since(before.spent()))?;
        records::update(self.connection, &after)?;
        self.changed = true;
        Ok(after)
    }

    /// Notes in the budgets of a task what it spent.
    fn charge(&mut self, budgets: &[Name], spent: Spent) -> Result<(), Stop> {
        if spent.is_nothing() {
            return Ok(());
        }
        for limit in &mut self.limits {
            let is_unknown = self.unknown_limits.contains(&limit.name);
            if let Some(budget) = &mut limit.budget
                && budgets.contains(&limit.name)
                && !is_unknown
            {
                budget.charge(spent);
                records::put_limit(self.connection, limit)?;
            }
        }
        Ok(())
    }

    /// Returns when time alone changes something about what can be claimed (RFC 3339, UTC).
    pub(super) fn next_due(&self) -> Result<Option<String>, Fault> {
        next_due(self.connection, &self.limits)
    }

    /// Makes the next task of the series of one that has just ended, or ends the series; returns the event to note.
    fn follow(
        &mut self,
        before: &Task,
        after: &mut Task,
    ) -> Result<Option<(&'static str, Value)>, Stop> {
        let Some(occurrence) = after.occurrence.clone() else {
            return Ok(None);
        };
        let mut series = series::known(self.connection, after, &occurrence)?;
        let next = series::next(self.connection, (before, after), &occurrence, self.now)?;
        let scheduled = match next {
            Ok(scheduled) => scheduled,
            Err(why) => {
                series.is_over = true;
                records::put_series(self.connection, &series)?;
                return Ok(Some(("series_ended", json!({"reason": why}))));
            }
        };
        let task_id = self.new_id()?;
        series.occurrences += 1;
        series.newest = task_id.clone();
        let task = series::following(after, &series, task_id.clone(), scheduled, self.now_text());
        records::put_series(self.connection, &series)?;
        self.insert(task, &[])?;
        if let Some(occurrence) = &mut after.occurrence {
            occurrence.followed_by = Some(task_id.clone());
        }
        let data = json!({"task_id": task_id, "scheduled_at": clock::text(scheduled)});
        Ok(Some(("followed", data)))
    }

    /// Notes what happened to a task, whose version grows.
    fn note(&mut self, task: &mut Task, kind: &str, data: Value) -> Result<(), Stop> {
        debug_assert!(
            EVENT_KINDS.contains(&kind),
            "{kind} is not listed as a kind of event"
        );
        self.ledger.last_event += 1;
        task.version += 1;
        task.events += 1;
        let noted = Event {
            task_id: task.task_id.clone(),
            event: task.events,
            kind: kind.to_owned(),
            data,
            at: self.now_text(),
        };
        records::put_event(self.connection, &noted, self.ledger.last_event)?;
        let hooks = match &self.hooks {
            Some(hooks) => hooks,
            None => self.hooks.insert(hook::Watching::of(self.connection)?),
        };
        let happened = hook::Happened {
            event: &format!("task.{kind}"),
            task_id: Some(task.task_id.as_str()),
            job_id: None,
            number: self.ledger.last_event,
            labels: &task.spec.labels,
            data: &noted.data,
            at: &noted.at,
        };
        self.tells |= hooks.note(self.connection, &happened)?;
        Ok(())
    }

    /// Ends the attempt that is under way; what it cost counts for the task.
    pub(super) fn end_attempt(
        &mut self,
        task: &mut Task,
        end: AttemptEnd,
        note: Option<&str>,
        digest: Option<String>,
    ) -> Result<(), Stop> {
        let Some(lease) = task.lease.take() else {
            return Ok(());
        };
        task.spent_before = task.spent_before.and(lease.spent);
        if let Some(mut attempt) = self.attempt_of(task, &lease)? {
            attempt.end = Some(end);
            attempt.ended_at = Some(self.now_text());
            attempt.note = note.map(str::to_owned);
            attempt.end_digest = digest;
            attempt.spent = lease.spent;
            records::put_attempt(self.connection, &attempt)?;
        }
        Ok(())
    }

    fn attempt_of(&self, task: &Task, lease: &Lease) -> Result<Option<Attempt>, Fault> {
        let found = records::attempt(self.connection, &task.task_id, lease.attempt);
        // An attempt that cannot be read keeps nobody from ending the task.
        Ok(Fault::set_apart(found)?.ok().flatten())
    }

    /// Takes up what time alone has changed: leases that ran out, pauses that are over, deadlines.
    pub(super) fn take_due(&mut self) -> Result<Vec<(Task, Task)>, Stop> {
        let mut taken = Vec::new();
        for before in records::due(self.connection, &self.now_text(), DUE_AT_ONCE)? {
            let after = self.pass_time(&before)?;
            taken.push((before, after));
        }
        self.settle()?;
        Ok(taken)
    }

    /// Takes up what time has changed about a task that is due.
    pub(super) fn pass_time(&mut self, before: &Task) -> Result<Task, Stop> {
        let mut after = before.clone();
        if let Some(lease) = before.lease.clone() {
            if lease.until > self.now_text() {
                return Ok(after);
            }
            if lease.run.is_some() {
                // Nobody knows whether its run goes on. What ends the attempt is the evidence of a worker that looks.
                let data = json!({"attempt": lease.attempt, "claimer": lease.claimer, "lease_until": lease.until});
                return self.save(before, after, Some(("unattended", data)));
            }
            let after = self.lose(before, &lease, None)?;
            // It may be too late for another attempt.
            let waits = after.state == State::Waiting;
            return if waits {
                self.pass_time(&after)
            } else {
                Ok(after)
            };
        }
        let is_late = before
            .spec
            .deadline
            .as_ref()
            .is_some_and(|deadline| *deadline <= self.now_text());
        if is_late {
            after.state = State::Failed;
            after.reason = Some("deadline_passed".to_owned());
            return self.save(
                before,
                after,
                Some(("failed", json!({"reason": "deadline_passed"}))),
            );
        }
        self.save(before, after, None)
    }

    /// Ends the attempt that is under way as lost: the task waits for another one, unless too many were lost.
    pub(super) fn lose(
        &mut self,
        before: &Task,
        lease: &Lease,
        note: Option<&str>,
    ) -> Result<Task, Stop> {
        let mut after = before.clone();
        let data = json!({
            "attempt": lease.attempt, "claimer": lease.claimer, "lease_until": lease.until, "note": note,
        });
        self.end_attempt(&mut after, AttemptEnd::Lost, note, None)?;
        after.losses += 1;
        put_back(&mut after);
        if after.state == State::Waiting && after.is_worn_out() {
            after.state = State::Failed;
            after.reason = Some("attempts_lost".to_owned());
        }
        self.save(before, after, Some(("lost", data)))
    }

    /// Lets the ends of this transaction have their consequences for the tasks that depend on them.
    pub(super) fn settle(&mut self) -> Result<(), Stop> {
        while let Some(ended) = self.unsettled.pop() {
            let waiting = records::dependents(self.connection, &ended, u32::MAX)?;
            let is_waiting = |state: &Option<State>| *state == Some(State::Waiting);
            for (task_id, _) in waiting.iter().filter(|(_, state)| is_waiting(state)) {
                let found = records::find(self.connection, task_id);
                let Ok(Some(task)) = Fault::set_apart(found)? else {
                    continue;
                };
                self.weigh_dependencies(task)?;
            }
        }
        Ok(())
    }

    /// Applies to a waiting task what it says about dependencies that did not succeed, and sees whether it can run.
    pub(super) fn weigh_dependencies(&mut self, before: Task) -> Result<Task, Stop> {
        let others = records::dependencies(self.connection, &before.task_id)?;
        let is_broken = |state: &Option<State>| {
            state.is_some_and(|state| state.is_final() && state != State::Succeeded)
        };
        let broken = others.into_iter().find(|(_, state)| is_broken(state));
        let Some((task_id, state)) = broken else {
            let unmet = records::unmet(self.connection, &before.task_id)?;
            let (readiness, due_at) = readiness::of(&before, unmet, self.now);
            if (readiness, &due_at) == (before.readiness, &before.due_at) {
                return Ok(before);
            }
            let after = before.clone();
            return self.save(&before, after, None);
        };
        let (state_after, kind) = match before.spec.on_dependency_failure {
            OnDependencyFailure::Fail => (State::Failed, "failed"),
            OnDependencyFailure::Skip => (State::Skipped, "skipped"),
            OnDependencyFailure::Hold => (State::Held, "held"),
        };
        let mut after = before.clone();
        after.state = state_after;
        after.reason = Some("dependency_failed".to_owned());
        let data = json!({"reason": "dependency_failed", "task_id": task_id, "state": state});
        self.save(&before, after, Some((kind, data)))
    }

    /// Lists every reason why a task does not run now.
    pub(super) fn reasons(&self, task: &Task) -> Result<Vec<Reason>, Stop> {
        Ok(reasons(
            self.connection,
            task,
            &self.ledger,
            &self.limits,
            self.now,
        )?)
    }

    /// Returns whether a task is ready and all that it needs is free.
    pub(super) fn can_run(&self, task: &Task) -> bool {
        task.readiness == Readiness::Ready && self.ledger.fits(&task.lane(), &self.limits)
    }
}

/// Returns when time alone changes something about what can be claimed (RFC 3339, UTC).
pub(super) fn next_due(
    connection: &Connection<'_>,
    limits: &[Limit],
) -> Result<Option<String>, Fault> {
    let due = records::next_due(connection)?;
    Ok(due.into_iter().chain(limit::next_anew(limits)).min())
}

/// Puts a task whose attempt has ended back where it waits, or where its holder was asked to let it go.
pub(super) fn put_back(task: &mut Task) {
    (task.state, task.reason) = match task.asked.take() {
        Some(Asked::Cancel) => (State::Cancelled, Some("cancel_requested".to_owned())),
        Some(Asked::Pause) => (State::Paused, Some("pause_requested".to_owned())),
        None => (State::Waiting, None),
    };
}

/// Lists every reason why a task does not run now.
pub(super) fn reasons(
    connection: &Connection<'_>,
    task: &Task,
    ledger: &Ledger,
    limits: &[Limit],
    now: Timestamp,
) -> Result<Vec<Reason>, Fault> {
    let mut unmet = records::dependencies(connection, &task.task_id)?;
    unmet.retain(|(_, state)| *state != Some(State::Succeeded));
    Ok(readiness::reasons(task, &unmet, ledger, limits, now))
}
