//! What a worker looks at beside its own tasks: what is wished of them, whether they are still its own, and what others left.

use std::{collections::BTreeMap, time::Duration};

use super::{engine::Engine, error::Error, records, session::Session, wish::Wish};
use crate::{
    domain::task::{self, Task, TaskId},
    system::clock,
};

/// The least pause between two looks at what is wished of tasks.
const ASKED: Duration = Duration::from_millis(200);

/// The pause between two looks for what other sessions left.
const LEFT: Duration = Duration::from_secs(3);

/// A session that may have left something.
#[derive(Clone, Copy, Debug)]
struct Left {
    /// Whether it is over.
    is_gone: bool,
    /// Whether it ran elsewhere.
    is_elsewhere: bool,
}

impl Left {
    /// Says it of a session; of one that is not recorded any more only its silence can be known.
    fn of(session: Option<&Session>, is_unattended: bool) -> Self {
        Self {
            is_gone: session.map_or(is_unattended, |session| {
                session.is_certainly_gone() || session.ended_at.is_some()
            }),
            is_elsewhere: session.is_some_and(Session::is_elsewhere),
        }
    }
}

/// Returns whether a task is run by its worker's own machine, in files of the worker's home.
fn runs_at_its_worker(task: &Task) -> bool {
    let host = task.spec.host.as_ref();
    task.spec.call.is_none() && host.is_none_or(|host| host.as_str() == "local")
}

impl Engine<'_> {
    /// Lets an attempt know what is wished of it.
    pub(super) fn wish_of(&self, task: &Task) {
        if let Some(running) = self.running.get(&task.task_id) {
            let wanted = Wish::from(task.asked);
            running.wish.send_if_modified(|wish| {
                let differs = *wish != wanted && !matches!(*wish, Wish::End | Wish::Abandon);
                if differs {
                    *wish = wanted;
                }
                differs
            });
        }
    }

    /// Ends an attempt that this worker does not hold any more, unless another worker looks after the same one now.
    pub(super) fn abandon(&mut self, task_id: &TaskId) {
        self.ready.retain(|(task, _)| task.task_id != *task_id);
        let Some(running) = self.running.get(task_id) else {
            return;
        };
        // A record that cannot be read says nothing against this worker.
        let Ok(task) = task::find(self.context, task_id) else {
            return;
        };
        let is_same = |task: Task| task.fence().as_ref() == Some(&running.fence);
        let is_adopted = task.is_some_and(is_same);
        tracing::warn!(%task_id, is_adopted, "somebody else has the task");
        if is_adopted {
            running.carried.abort();
            self.running.remove(task_id);
        } else {
            running.wish.send_replace(Wish::Abandon);
        }
    }

    /// Looks what is wished of what runs, where something in the queue has changed since.
    pub(super) fn look_at_wishes(&mut self) {
        if self.running.is_empty()
            || self.version == self.asked_version
            || self.asked_at.elapsed() < ASKED
        {
            return;
        }
        let Ok(claimed) = task::claimed(self.context) else {
            return;
        };
        self.asked_at = clock::instant();
        self.asked_version = claimed.version;
        let tasks = claimed.tasks.iter();
        let held: BTreeMap<&TaskId, &Task> = tasks.map(|task| (&task.task_id, task)).collect();
        let mut lost = Vec::new();
        for (task_id, running) in &self.running {
            match held.get(task_id) {
                Some(task) if task.fence().as_ref() == Some(&running.fence) => self.wish_of(task),
                _ => lost.push(task_id.clone()),
            }
        }
        // What has just ended here and is not written yet is still held; what is not held was taken away.
        for task_id in lost {
            self.abandon(&task_id);
        }
    }

    /// Takes over what sessions left whose processes are gone, and what they do not look after any more.
    pub(super) async fn take_over(&mut self) -> Result<(), Error> {
        if self.left_at.is_some_and(|at| at.elapsed() < LEFT) {
            return Ok(());
        }
        self.left_at = Some(clock::instant());
        let own = self.session.session_id.to_string();
        let held = task::claimed(self.context)?;
        let mut seen: BTreeMap<String, Left> = BTreeMap::new();
        let mut left = Vec::new();
        for task in &held.tasks {
            let Some(run) = task.lease.as_ref().and_then(|lease| lease.run.as_ref()) else {
                continue;
            };
            if run.session == own || self.running.contains_key(&task.task_id) {
                continue;
            }
            let is_unattended = task.is_unattended(&held.now);
            let session = if let Some(known) = seen.get(&run.session) {
                *known
            } else {
                let found = records::find(self.context, &run.session)?;
                let known = Left::of(found.as_ref(), is_unattended);
                seen.insert(run.session.clone(), known);
                known
            };
            // Only where a run was started can be seen what became of it; of a host that all reach, that is anywhere.
            if session.is_elsewhere && runs_at_its_worker(task) {
                continue;
            }
            // A call goes on inside of its worker, so it is taken over only where that is gone.
            if session.is_gone || (is_unattended && task.spec.call.is_none()) {
                left.push((task.task_id.clone(), run.session.clone()));
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        let options = &self.session.options;
        let adopted = task::adopt(
            self.context,
            &left,
            (&own, &options.worker),
            options.lease_s,
        )
        .await?;
        self.session.counts.adopted += adopted.len() as u64;
        for task in adopted {
            tracing::info!(task_id = %task.task_id, attempt = task.attempts, "taken over");
            self.ready.push_front((task, true));
        }
        Ok(())
    }

    /// Notes that the session lives, and what it did.
    pub(super) async fn say(&mut self) {
        if let Err(error) = records::say(self.context, &mut self.session).await {
            tracing::warn!(%error, "the session cannot be written");
        }
    }
}
