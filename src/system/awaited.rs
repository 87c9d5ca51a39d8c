//! Waiting for something that somebody writes to the store, without looking again and again.

use std::time::Duration;

use super::{
    Context, clock,
    store::{self, Watched},
};

/// The pause between two looks, at first and at most: the latter where nothing says when the store is written, and where it does.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(250));
const PAUSE_WATCHING: Duration = Duration::from_secs(1);

/// How long writes are gathered before one look at them.
const GATHERED: Duration = Duration::from_millis(3);

/// Looks until something is found or so long has passed; nothing where it has.
pub(crate) async fn found<T, E: From<store::Error>>(
    context: &Context,
    allowed: Duration,
    doing: &str,
    mut look: impl FnMut() -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let since = clock::instant();
    // Watched from before the first look, so that nothing is written in between unnoticed.
    let watched = if allowed.is_zero() {
        None
    } else {
        context.store()?.watch()
    };
    let most = if watched.is_some() {
        PAUSE_WATCHING
    } else {
        PAUSES.1
    };
    let mut pause = PAUSES.0;
    let mut progress = None;
    loop {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        let left = allowed.saturating_sub(since.elapsed());
        if left.is_zero() {
            return Ok(None);
        }
        progress.get_or_insert_with(|| context.progress(doing));
        tokio::select! {
            biased;
            // What is being written can be read only once it is on the disk: a few looks, soon after each other.
            () = written(watched.as_ref()) => {
                pause = PAUSES.0;
                clock::sleep(GATHERED.min(left)).await;
            }
            () = clock::sleep(pause.min(left)) => pause = (pause * 2).min(most),
        }
    }
}

/// Waits until something is written to the store.
async fn written(watched: Option<&Watched>) {
    match watched {
        Some(watched) => watched.changed().await,
        None => std::future::pending().await,
    }
}
