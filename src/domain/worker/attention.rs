//! What a worker looks at beside its own tasks: what is wished of them, whether they are still its own, and what others left.

use std::{collections::BTreeMap, time::Duration};

use super::{engine::Engine, error::Error, records, wish::Wish};
use crate::{
    domain::task::{self, Task, TaskId},
    system::clock,
};

/// The least pause between two looks at what is wished of tasks.
const ASKED: Duration = Duration::from_millis(200);

/// The pause between two looks for what other sessions left.
const LEFT: Duration = Duration::from_secs(3);

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
        let Ok((tasks, version)) = task::claimed(self.context) else {
            return;
        };
        self.asked_at = clock::instant();
        self.asked_version = version;
        let held: BTreeMap<&TaskId, &Task> =
            tasks.iter().map(|task| (&task.task_id, task)).collect();
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
        let (tasks, _) = task::claimed(self.context)?;
        let mut gone: BTreeMap<String, bool> = BTreeMap::new();
        let mut left = Vec::new();
        for task in &tasks {
            let Some(run) = task.lease.as_ref().and_then(|lease| lease.run.as_ref()) else {
                continue;
            };
            if run.session == own || self.running.contains_key(&task.task_id) {
                continue;
            }
            let is_gone = if let Some(known) = gone.get(&run.session) {
                *known
            } else {
                let session = records::find(self.context, &run.session)?;
                // Of one that is not recorded any more only its silence can be known.
                let is_gone = session.as_ref().map_or(task.is_unattended(), |session| {
                    session.is_certainly_gone() || session.ended_at.is_some()
                });
                gone.insert(run.session.clone(), is_gone);
                is_gone
            };
            // A call goes on inside of its worker, so it is taken over only where that is gone.
            if is_gone || (task.is_unattended() && task.spec.call.is_none()) {
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
        self.session.seen_at = clock::now_text();
        if let Err(error) = records::put(self.context, &self.session).await {
            tracing::warn!(%error, "the session cannot be written");
        }
    }
}
