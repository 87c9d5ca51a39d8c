//! Progress for people, on standard error.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

/// What a call is busy with, for whoever wants to tell while it runs.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    doing: Arc<Mutex<Option<String>>>,
}

impl Activity {
    /// Returns what the call said last; nothing where it has not said anything.
    pub fn now(&self) -> Option<String> {
        self.doing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, doing: &str) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = Some(doing.to_owned());
    }
}

/// Something that takes a while and is being watched.
///
/// On a terminal it shows as a line with a spinner once it has taken over a second; elsewhere as `tracing` events.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    activity: Activity,
}

impl Progress {
    /// Begins to watch.
    pub(crate) fn start(terminal: bool, activity: Activity, doing: &str) -> Self {
        tracing::info!(doing, "started");
        activity.note(doing);
        let bar = terminal.then(|| {
            let bar = ProgressBar::new_spinner().with_message(doing.to_owned());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self { bar, activity }
    }

    /// Says what is being done now.
    pub(crate) fn say(&self, doing: &str) {
        tracing::info!(doing, "progress");
        self.activity.note(doing);
        if let Some(bar) = &self.bar {
            bar.set_message(doing.to_owned());
        }
    }

    /// Leaves a line that stays.
    pub(crate) fn note(&self, line: &str) {
        tracing::info!(line, "note");
        if let Some(bar) = &self.bar {
            bar.println(line);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
