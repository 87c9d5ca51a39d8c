//! Progress for people, on standard error.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Something that takes a while and is being watched.
///
/// On a terminal it shows as a line with a spinner once it has taken over a second; elsewhere as `tracing` events.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins to watch.
    pub(crate) fn start(terminal: bool, doing: &str) -> Self {
        tracing::info!(doing, "started");
        let bar = terminal.then(|| {
            let bar = ProgressBar::new_spinner().with_message(doing.to_owned());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self { bar }
    }

    /// Says what is being done now.
    pub(crate) fn say(&self, doing: &str) {
        tracing::info!(doing, "progress");
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
