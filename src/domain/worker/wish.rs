//! What is wished of an attempt, and what all kinds of work make of its end.

use std::time::Duration;

use tokio::sync::watch;

use super::error::Error;
use crate::{
    contract::Coded as _,
    domain::task::{Asked, Ending, Spent, Task},
};

/// Seconds after which what could not be started, for no fault of the task, is tried again.
const AGAIN_S: u64 = 30;

/// What is wished of an attempt that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// That it goes on.
    Go,
    /// That it stands still.
    Hold,
    /// That it ends, because the task is to be cancelled.
    End,
    /// That it ends, and that nobody waits for how: somebody else has the task.
    Abandon,
}

impl From<Option<Asked>> for Wish {
    fn from(asked: Option<Asked>) -> Self {
        match asked {
            None => Self::Go,
            Some(Asked::Pause) => Self::Hold,
            Some(Asked::Cancel) => Self::End,
        }
    }
}

/// Makes the end of an attempt that could not be started.
pub(super) fn not_started(error: &Error) -> Ending {
    let retry = error.retry();
    let reason = format!("{}: {error}", error.code().name());
    // A host that is silent, or GPUs that others hold, are no failure of the task.
    if retry.is_safe() {
        let after_s = retry.after_ms.map_or(AGAIN_S, |ms| ms.div_ceil(1000));
        return Ending::Released {
            note: Some(reason),
            delay_s: after_s,
        };
    }
    failed(reason, false, Spent::default())
}

/// Makes the end of an attempt that failed and brought nothing back.
pub(super) fn failed(error: impl Into<String>, retry: bool, spent: Spent) -> Ending {
    Ending::Failed {
        error: error.into(),
        retry,
        result: None,
        spent,
    }
}

/// Makes the end of an attempt that somebody ended.
pub(super) fn ended_on_request() -> Ending {
    Ending::Released {
        note: Some("it was ended on request".to_owned()),
        delay_s: 0,
    }
}

/// Returns what an attempt of so long cost.
pub(super) fn spent(wall: Duration) -> Spent {
    Spent {
        cost_usd: 0.0,
        wall_s: wall.as_secs_f64(),
    }
}

/// Returns how long an attempt of a task may still run; no limit where it has none.
pub(super) fn allowed(task: &Task) -> Option<Duration> {
    let most = Duration::from_secs(task.spec.max_wall_s?);
    let before = Duration::try_from_secs_f64(task.spent_before.wall_s).unwrap_or_default();
    Some(most.saturating_sub(before))
}

/// Waits until an attempt is wished to end; returns that wish.
pub(super) async fn end_wished(wish: &mut watch::Receiver<Wish>) -> Wish {
    let is_end = |wish: &Wish| matches!(wish, Wish::End | Wish::Abandon);
    let found = wish.wait_for(is_end).await.map(|wish| *wish);
    match found {
        Ok(wish) => wish,
        // Whoever could wish anything is gone.
        Err(_gone) => std::future::pending().await,
    }
}
