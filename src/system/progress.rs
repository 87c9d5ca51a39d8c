//! Progress for people, on standard error.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle, style::ProgressTracker};

use super::{clock, secrets::Redactor, terminal::Terminal};
use crate::contract::text;

/// What takes less than this is not shown.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// How often the line is drawn anew.
const TICK: Duration = Duration::from_millis(250);

/// What a call is busy with, readable while it runs.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    busy: Arc<Mutex<Busy>>,
}

/// What is being waited for; waiting may be for a part of something larger, and the last is the innermost.
#[derive(Debug, Default)]
struct Busy {
    begun: u64,
    waits: Vec<Wait>,
    last: Option<String>,
    bar: Option<ProgressBar>,
}

#[derive(Debug)]
struct Wait {
    number: u64,
    doing: String,
    since: Instant,
}

impl Activity {
    /// Returns the last message; nothing before the first.
    pub fn now(&self) -> Option<String> {
        self.lock().last.clone()
    }

    /// Removes the line from the terminal, before the process ends.
    pub fn clear(&self) {
        let bar = self.lock().bar.take();
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }

    /// Returns whether nothing is being waited for.
    pub(super) fn is_idle(&self) -> bool {
        self.lock().waits.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Busy> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bar(&self) -> Option<ProgressBar> {
        self.lock().bar.clone()
    }
}

/// Something that takes a while and is being watched.
///
/// On a terminal the innermost shows as a line with the time it has taken, once the call has been busy for over a second; elsewhere
/// all of them are `tracing` events. What is shown holds no secret, and nothing that a terminal would obey.
#[derive(Debug)]
pub(crate) struct Progress {
    number: u64,
    activity: Activity,
    redactor: Redactor,
}

impl Progress {
    /// Begins to watch.
    pub(crate) fn start(
        terminal: Terminal,
        activity: Activity,
        redactor: Redactor,
        doing: &str,
    ) -> Self {
        tracing::info!(doing, "started");
        let mut busy = activity.lock();
        busy.begun += 1;
        let number = busy.begun;
        let doing = shown(&redactor, doing);
        busy.last = Some(doing.clone());
        busy.waits.push(Wait {
            number,
            doing,
            since: clock::instant(),
        });
        let wanted = terminal.there && !terminal.dumb && busy.bar.is_none();
        drop(busy);
        if wanted {
            let bar = line(&activity, terminal.columns);
            activity.lock().bar = Some(bar);
        }
        Self {
            number,
            activity,
            redactor,
        }
    }

    /// Says what is being done now.
    pub(crate) fn say(&self, doing: &str) {
        let doing = shown(&self.redactor, doing);
        let mut busy = self.activity.lock();
        let Some(wait) = busy
            .waits
            .iter_mut()
            .find(|wait| wait.number == self.number)
        else {
            return;
        };
        if wait.doing == doing {
            return;
        }
        tracing::info!(doing, "progress");
        wait.doing.clone_from(&doing);
        wait.since = clock::instant();
        busy.last = Some(doing);
    }

    /// Leaves a line that stays.
    pub(crate) fn note(&self, line: &str) {
        let line = shown(&self.redactor, line);
        tracing::info!(line, "note");
        if let Some(bar) = self.activity.bar() {
            bar.println(line);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let mut busy = self.activity.lock();
        busy.waits.retain(|wait| wait.number != self.number);
        let over = busy.waits.is_empty();
        drop(busy);
        if over {
            self.activity.clear();
        }
    }
}

fn shown(redactor: &Redactor, words: &str) -> String {
    text::escape(&redactor.text(words)).into_owned()
}

/// Puts a line on the terminal that draws itself.
fn line(activity: &Activity, columns: usize) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let tracker = Tracker {
        busy: Arc::downgrade(&activity.busy),
        columns,
    };
    if let Ok(style) = ProgressStyle::with_template("{line}") {
        bar.set_style(style.with_key("line", tracker));
    }
    bar.enable_steady_tick(TICK);
    bar
}

/// Writes the line; it holds on to nothing that holds on to the line.
#[derive(Clone)]
struct Tracker {
    busy: std::sync::Weak<Mutex<Busy>>,
    columns: usize,
}

impl ProgressTracker for Tracker {
    fn clone_box(&self) -> Box<dyn ProgressTracker> {
        Box::new(self.clone())
    }

    fn tick(&mut self, _: &ProgressState, _: Instant) {}

    fn reset(&mut self, _: &ProgressState, _: Instant) {}

    fn write(&self, state: &ProgressState, line: &mut dyn fmt::Write) {
        let elapsed = state.elapsed();
        if elapsed < SHOWN_AFTER {
            return;
        }
        let Some(busy) = self.busy.upgrade() else {
            return;
        };
        let busy = busy.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(wait) = busy.waits.last() else {
            return;
        };
        let wheel = ['|', '/', '-', '\\'];
        let turn = usize::try_from(elapsed.as_millis() / TICK.as_millis()).unwrap_or(0);
        let wheel = wheel.get(turn % wheel.len()).unwrap_or(&'|');
        let time = HumanDuration(wait.since.elapsed()).to_string();
        let room = self.columns.saturating_sub(time.len() + 6);
        let doing: String = wait.doing.chars().take(room).collect();
        // A line that cannot be drawn is drawn the next time.
        let _next_time = write!(line, "{wheel} {doing} ({time})");
    }
}
