//! The loop of a worker: takes tasks, lets each be carried out, and writes what came of them.
//!
//! Each attempt is carried out by a future of its own, which says how it ended; the loop alone writes to the queue. What has ended
//! meanwhile is written together with the next claim, in one transaction, so that the disk is waited for once for all of them.
//! Short tasks are claimed ahead of their turn, so that a place that becomes free does not wait for that either. Where there is
//! nothing to do the loop reads one row from time to time, and nothing else.
//!
//! Every so often it also renews the leases of what runs, looks what is wished of it, and takes over what sessions of workers
//! left whose processes are gone. What such a session had under way is found by the name of its attempt, never started anew.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use super::{
    attempt,
    caller::Caller,
    error::Error,
    records,
    session::{Session, SessionEnd},
    wish::Wish,
};
use crate::{
    contract::Name,
    domain::{
        hook,
        task::{self, Claim, Ending, Fence, Finish, Task, TaskId, Turn, Turned},
    },
    system::{Context, clock, failpoint, store::Watched},
};

/// What is asked of a worker from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stop {
    /// To go on.
    #[default]
    No,
    /// To take no more, and to end when what runs has ended.
    Drain,
    /// To end now; what runs goes on without it.
    Now,
}

/// The pause between two looks at the ledger where there is nothing to do, at first and at most: the latter where nothing says
/// when the queue is written, and where the store does.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));
const PAUSE_WATCHING: Duration = Duration::from_secs(1);

/// How long writes to the queue are gathered before one look at it.
const GATHERED: Duration = Duration::from_millis(3);

/// The pause after a turn that could not be written.
const AGAIN: Duration = Duration::from_secs(1);

/// Tasks that end sooner than this are claimed ahead of their turn.
const SHORT: Duration = Duration::from_millis(250);

/// How many tasks are claimed ahead for each place, and at most.
const AHEAD: (usize, usize) = (4, 64);

/// How long ends are gathered where there is other work meanwhile, and how many of them at most.
const TOGETHER: Duration = Duration::from_millis(50);
const ENOUGH: usize = 32;

/// How often a look is made whether somebody delivers to hooks.
const HOOKS: Duration = Duration::from_secs(2);

/// How many tasks stand still at most, so that others can take their places.
const HELD_MOST: usize = 256;

/// An attempt that is under way.
pub(super) struct Running {
    pub(super) fence: Fence,
    pub(super) wish: watch::Sender<Wish>,
    pub(super) carried: JoinHandle<()>,
    since: Instant,
}

impl Running {
    fn stands_still(&self) -> bool {
        *self.wish.borrow() == Wish::Hold
    }
}

/// The end of an attempt, as its future says it.
struct Ended {
    fence: Fence,
    ending: Ending,
}

/// Waits until something is written to the store.
async fn written(watched: Option<&Watched>) {
    match watched {
        Some(watched) => watched.changed().await,
        None => std::future::pending().await,
    }
}

/// A worker at work.
pub(super) struct Engine<'c> {
    pub(super) context: &'c Context,
    caller: Arc<dyn Caller>,
    pub(super) session: Session,
    pub(super) running: BTreeMap<TaskId, Running>,
    /// Claimed, and not begun yet; with each whether another session may have begun it.
    pub(super) ready: VecDeque<(Task, bool)>,
    ended: (mpsc::UnboundedSender<Ended>, mpsc::UnboundedReceiver<Ended>),
    outbox: Vec<Finish>,
    /// Since when something is in it.
    outbox_since: Instant,
    claims: u64,
    /// A claim of which nobody knows whether it was made: it is sent again as it was.
    unsure: Option<Claim>,
    /// How long tasks take of late.
    usual: Duration,
    /// The version of the ledger that was last seen.
    pub(super) version: u64,
    /// Whether there may be something to claim.
    hopeful: bool,
    /// When time alone makes something claimable.
    next_due_at: Option<String>,
    pub(super) asked_at: Instant,
    pub(super) asked_version: u64,
    renewed_at: Instant,
    pub(super) left_at: Option<Instant>,
    idle_since: Option<Instant>,
    hooks_at: Option<Instant>,
    begun: u64,
}

impl<'c> Engine<'c> {
    /// Prepares one.
    pub(super) fn new(context: &'c Context, caller: Arc<dyn Caller>, session: Session) -> Self {
        let now = clock::instant();
        Self {
            context,
            caller,
            session,
            running: BTreeMap::new(),
            ready: VecDeque::new(),
            ended: mpsc::unbounded_channel(),
            outbox: Vec::new(),
            outbox_since: now,
            claims: 0,
            unsure: None,
            usual: SHORT,
            version: 0,
            hopeful: true,
            next_due_at: None,
            asked_at: now,
            asked_version: 0,
            renewed_at: now,
            left_at: None,
            idle_since: None,
            hooks_at: None,
            begun: 0,
        }
    }

    /// Works until it is to end, and returns the session as it ended.
    pub(super) async fn work(mut self, mut stop: watch::Receiver<Stop>) -> Result<Session, Error> {
        let watched = self.context.store()?.watch();
        let most = if watched.is_some() {
            PAUSE_WATCHING
        } else {
            PAUSES.1
        };
        let mut pause = PAUSES.0;
        let mut draining: Option<Instant> = None;
        let end = loop {
            let asked = *stop.borrow_and_update();
            if asked == Stop::Now {
                break SessionEnd::Stopped;
            }
            if asked == Stop::Drain && draining.is_none() {
                draining = Some(clock::instant());
                self.session.draining_since = Some(clock::now_text());
                self.say().await;
            }
            while let Ok(ended) = self.ended.1.try_recv() {
                self.note(ended);
            }
            // Nobody could ask it anything any more, nor ever see what it does.
            if !self.context.fork().has_store() {
                break SessionEnd::StoreGone;
            }
            if draining.is_none()
                && let Err(error) = self.take_over().await
            {
                tracing::error!(%error, "what other sessions left cannot be looked at");
            }
            // Whoever was to deliver to hooks may have been killed before or while it did.
            if self.hooks_at.is_none_or(|at| at.elapsed() >= HOOKS) {
                self.hooks_at = Some(clock::instant());
                hook::attend(self.context);
            }
            if let Some(end) = self.turn(draining.is_some()).await {
                break end;
            }
            self.begin_ready(draining.is_some());
            if let Some(since) = draining {
                let limit = Duration::from_secs(self.session.options.drain_s);
                let waits = self.running.values().any(|one| !one.stands_still());
                if self.outbox.is_empty() && (!waits || since.elapsed() >= limit) {
                    break SessionEnd::Stopped;
                }
            }
            self.look_at_wishes();
            // Where it could claim and has found nothing, somebody has to enqueue something first.
            let wait = if self.hopeful && draining.is_none() && self.wanted() > 0 {
                Duration::ZERO
            } else if self.outbox.is_empty() {
                pause
            } else {
                TOGETHER.saturating_sub(self.outbox_since.elapsed())
            };
            tokio::select! {
                biased;
                Some(ended) = self.ended.1.recv() => {
                    self.note(ended);
                    pause = PAUSES.0;
                }
                changed = stop.changed() => {
                    if changed.is_err() {
                        break SessionEnd::Stopped;
                    }
                }
                // What is being written can be read only once it is on the disk: a few looks, soon after each other.
                () = written(watched.as_ref()), if !wait.is_zero() => {
                    pause = PAUSES.0;
                    clock::sleep(GATHERED).await;
                }
                () = clock::sleep(wait) => pause = (pause * 2).min(most),
            }
            match self.look_at_ledger() {
                Ok(false) => {}
                Ok(true) => pause = PAUSES.0,
                Err(error) => {
                    tracing::error!(%error, "the queue cannot be read");
                    clock::sleep(AGAIN).await;
                }
            }
        };
        self.end(end).await
    }

    /// Leaves what runs to whoever comes next, and notes the end.
    async fn end(mut self, end: SessionEnd) -> Result<Session, Error> {
        // What has ended by now is not left to others.
        while let Ok(ended) = self.ended.1.try_recv() {
            self.note(ended);
        }
        let finished = std::mem::take(&mut self.outbox);
        let mut finished: Vec<Finish> = finished;
        // What was claimed and not begun is given back at once.
        for (task, is_adopted) in std::mem::take(&mut self.ready) {
            if let (Some(fence), false) = (task.fence(), is_adopted) {
                finished.push(Finish {
                    fence,
                    ending: Ending::Released {
                        note: Some("its worker ended before it began".to_owned()),
                        delay_s: 0,
                    },
                });
            }
        }
        if !finished.is_empty() {
            let session = self.session.session_id.to_string();
            let turn = Turn {
                session: &session,
                finished: &finished,
                renewed: &[],
                lease_s: self.session.options.lease_s,
                claim: None,
            };
            let turned = task::turn(self.context, &turn).await?;
            self.count(&finished, &turned);
        }
        for running in self.running.values() {
            running.carried.abort();
        }
        self.session.ended_at = Some(clock::now_text());
        self.session.seen_at = clock::now_text();
        self.session.end = Some(end);
        records::put(self.context, &self.session).await?;
        Ok(self.session)
    }

    /// Returns how many more tasks it can run at once.
    fn room(&self) -> usize {
        let still = self
            .running
            .values()
            .filter(|one| one.stands_still())
            .count();
        let active = self.running.len() - still.min(HELD_MOST);
        (self.session.options.concurrency as usize).saturating_sub(active)
    }

    /// Returns how many tasks it wants to claim now.
    fn wanted(&self) -> usize {
        let options = &self.session.options;
        let ahead = if self.usual < SHORT && self.session.counts.claimed > 0 {
            (options.concurrency as usize * AHEAD.0).min(AHEAD.1)
        } else {
            0
        };
        let mut wanted = (self.room() + ahead).saturating_sub(self.ready.len());
        if let Some(most) = options.max_tasks {
            let open = self.begun + self.ready.len() as u64;
            let left = usize::try_from(most.saturating_sub(open)).unwrap_or(usize::MAX);
            wanted = wanted.min(left);
        }
        // A few at a time are not worth a transaction while there is enough ahead.
        if ahead > 0 && wanted < ahead / 2 && self.ready.len() >= self.room() {
            return 0;
        }
        wanted.min(100)
    }

    /// Takes note of an end.
    fn note(&mut self, ended: Ended) {
        let Ended { fence, ending } = ended;
        let known = self.running.get(&fence.task_id);
        let Some(running) = known.filter(|running| running.fence == fence) else {
            return;
        };
        let (took, wish) = (running.since.elapsed(), *running.wish.borrow());
        self.usual = (self.usual * 7 + took) / 8;
        self.running.remove(&fence.task_id);
        if wish != Wish::Abandon {
            if self.outbox.is_empty() {
                self.outbox_since = clock::instant();
            }
            self.outbox.push(Finish { fence, ending });
        }
    }

    /// Writes what has ended, renews what is due, and claims what there is room for; returns an end of the worker.
    async fn turn(&mut self, draining: bool) -> Option<SessionEnd> {
        let options = &self.session.options;
        let renews = self.renewed_at.elapsed() >= Duration::from_secs(options.lease_s) / 3;
        let wanted = if draining || !self.hopeful {
            0
        } else {
            self.wanted()
        };
        let writes = !self.outbox.is_empty()
            && (self.ready.is_empty()
                || draining
                || self.outbox.len() >= ENOUGH
                || self.outbox_since.elapsed() >= TOGETHER);
        if !writes && wanted == 0 && !renews && self.unsure.is_none() {
            return self.is_over(draining);
        }
        let before = self.unsure.take();
        let claim = before.or_else(|| {
            if wanted == 0 {
                return None;
            }
            self.claims += 1;
            Some(Claim {
                claimer: options.worker.clone(),
                request_id: Name::fixed(&format!("{}.{}", self.session.session_id, self.claims)),
                task_id: None,
                count: u32::try_from(wanted).unwrap_or(1),
                agents: options.agents.clone(),
                hosts: options.hosts.clone(),
                lease_s: options.lease_s,
                session: Some(self.session.session_id.to_string()),
            })
        });
        let asked = claim.as_ref().map_or(0, |claim| claim.count as usize);
        let renewed: Vec<Fence> = if renews {
            let ready = self.ready.iter().filter_map(|(task, _)| task.fence());
            self.running
                .values()
                .map(|running| running.fence.clone())
                .chain(ready)
                .collect()
        } else {
            Vec::new()
        };
        let finished = std::mem::take(&mut self.outbox);
        if !finished.is_empty() {
            failpoint::reached("worker.ended");
        }
        let session = self.session.session_id.to_string();
        let turn = Turn {
            session: &session,
            finished: &finished,
            renewed: &renewed,
            lease_s: options.lease_s,
            claim,
        };
        let turned = match task::turn(self.context, &turn).await {
            Ok(turned) => turned,
            Err(error) => {
                // The processes go on, and what ended is not forgotten: it is written once that is possible.
                tracing::error!(%error, "the queue cannot be written");
                self.unsure = turn.claim;
                self.outbox = finished;
                clock::sleep(AGAIN).await;
                return None;
            }
        };
        self.count(&finished, &turned);
        self.version = turned.version;
        // What has ended may wait again, and let others run that waited for it.
        self.hopeful |= !finished.is_empty();
        for (fence, task) in renewed.iter().zip(&turned.renewed) {
            match task {
                Ok(task) => self.wish_of(task),
                Err(_lost) => self.abandon(&fence.task_id),
            }
        }
        if renews {
            self.renewed_at = clock::instant();
            self.say().await;
        }
        if let Some(outcome) = turned.claimed {
            self.session.counts.claimed += outcome.tasks.len() as u64;
            self.hopeful = outcome.tasks.len() >= asked;
            self.next_due_at = outcome.next_due_at;
            if !outcome.tasks.is_empty() {
                failpoint::reached("worker.claimed");
            }
            let held = outcome.tasks.into_iter().filter(|one| one.is_held);
            self.ready.extend(held.map(|one| (one.task, false)));
        }
        self.is_over(draining)
    }

    /// Returns why the worker is to end by itself, where it is.
    fn is_over(&mut self, draining: bool) -> Option<SessionEnd> {
        if !self.running.is_empty() || !self.ready.is_empty() || !self.outbox.is_empty() || draining
        {
            self.idle_since = None;
            return None;
        }
        let options = &self.session.options;
        if options.max_tasks.is_some_and(|most| self.begun >= most) {
            return Some(SessionEnd::Done);
        }
        // One that takes no tasks has nothing to hope for.
        if self.hopeful && options.concurrency > 0 {
            return None;
        }
        let since = *self.idle_since.get_or_insert_with(clock::instant);
        let limit = Duration::from_secs(options.idle_exit_s?);
        (since.elapsed() >= limit).then_some(SessionEnd::Idle)
    }

    /// Counts what became of attempts.
    fn count(&mut self, finished: &[Finish], turned: &Turned) {
        let counts = &mut self.session.counts;
        for (finish, written) in finished.iter().zip(&turned.finished) {
            let counted = match (&finish.ending, written) {
                (_, Err(error)) => {
                    tracing::warn!(task_id = %finish.fence.task_id, %error, "its end is not this worker's to write");
                    &mut counts.refused
                }
                (Ending::Done { .. }, Ok(_)) => &mut counts.succeeded,
                (Ending::Failed { .. }, Ok(_)) => &mut counts.failed,
                (Ending::Released { .. }, Ok(_)) => &mut counts.released,
                (Ending::Lost { .. }, Ok(_)) => &mut counts.lost,
            };
            *counted += 1;
        }
    }

    /// Lets as many be carried out as there is room for; what another session may have begun needs none.
    fn begin_ready(&mut self, draining: bool) {
        let mut waiting = VecDeque::new();
        while let Some((task, is_adopted)) = self.ready.pop_front() {
            if is_adopted || (self.room() > 0 && !draining) {
                self.begin(task, is_adopted);
            } else {
                waiting.push_back((task, is_adopted));
                if !draining {
                    break;
                }
            }
        }
        waiting.extend(std::mem::take(&mut self.ready));
        self.ready = waiting;
    }

    fn begin(&mut self, task: Task, is_adopted: bool) {
        let Some(fence) = task.fence() else {
            return;
        };
        self.begun += 1;
        let (wish, wished) = watch::channel(Wish::from(task.asked));
        let (context, caller) = (self.context.fork(), Arc::clone(&self.caller));
        let (sender, own) = (self.ended.0.clone(), fence.clone());
        let carried = tokio::spawn(async move {
            let ending = attempt::carry_out(&context, &caller, &task, wished, is_adopted).await;
            // Where the loop has ended, whoever comes next finds the end by itself.
            let _unheard = sender.send(Ended { fence: own, ending });
        });
        let running = Running {
            fence: fence.clone(),
            wish,
            carried,
            since: clock::instant(),
        };
        self.running.insert(fence.task_id, running);
    }

    /// Looks whether something in the queue has changed; returns whether there may be something to claim now.
    fn look_at_ledger(&mut self) -> Result<bool, Error> {
        let (version, is_due) = task::ledger_version(self.context, self.next_due_at.as_deref())?;
        if version == self.version && !is_due {
            return Ok(false);
        }
        self.version = version;
        self.hopeful = true;
        if is_due {
            self.next_due_at = None;
        }
        Ok(true)
    }
}
