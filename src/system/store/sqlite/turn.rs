//! Whose turn it is to write.
//!
//! `SQLite` lets one write at a time and has no queue: who waits tries again and again, and of eight writers one may lose
//! for half a minute. So writers stand in line first: within a process by a fair mutex, between processes by `flock`, whose
//! waiters the system wakes. Who writes without taking a turn, as an earlier legwork does, is met by the trying
//! that comes after it.
//!
//! A wait for `flock` cannot be broken off, and the one thread on which all calls run must not stand still. So a thread
//! waits in its place, one a database from the first wait on: where the call gives up first, the thread goes on waiting for
//! the next one, or lets go of the lock at once where nobody wants it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::system::files::{self, Lock};

/// The stack of the thread that waits, which does nothing else.
const STACK: usize = 128 * 1024;

/// The line of those who want to write.
#[derive(Debug)]
pub(super) struct Line {
    /// The file that is locked, beside the database.
    file: PathBuf,
    /// The line within this process.
    inner: tokio::sync::Mutex<()>,
    desk: Arc<Desk>,
}

/// The turn of a writer, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    /// Nothing where files cannot be locked here.
    _lock: Option<Lock>,
    _inner: tokio::sync::MutexGuard<'a, ()>,
}

/// What the thread and the one for whom it waits hand each other.
#[derive(Debug, Default)]
struct Desk {
    state: Mutex<State>,
    /// Tells the thread that there is something to do.
    sent: Condvar,
    /// Tells the one for whom it waits that it has done it.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    thread: Waiter,
    /// Whether somebody wants the lock.
    wanted: bool,
    /// What the thread got.
    got: Option<std::io::Result<Lock>>,
}

/// What the thread does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Waiter {
    /// There is none.
    #[default]
    Missing,
    /// It has nothing to do.
    Resting,
    /// It waits for the lock, or is about to.
    Waiting,
    /// It is to end.
    Dismissed,
}

/// Somebody who wants the lock, until it is dropped.
struct Wish<'a>(&'a Desk);

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Wish<'a> {
    fn of(desk: &'a Desk) -> Self {
        desk.state().wanted = true;
        Self(desk)
    }
}

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.wanted = false;
        state.got = None;
    }
}

impl Line {
    /// Makes the line before a database.
    pub(super) fn before(database: &Path) -> Self {
        let mut file = database.as_os_str().to_owned();
        file.push(".lock");
        Self {
            file: file.into(),
            inner: tokio::sync::Mutex::new(()),
            desk: Arc::default(),
        }
    }

    /// Waits for the turn; dropping the future gives up.
    pub(super) async fn turn(&self) -> Turn<'_> {
        let inner = self.inner.lock().await;
        let lock = self.lock().await;
        if let Err(error) = &lock {
            // A disk that is full or a file system without locks: the database itself says more.
            tracing::debug!(%error, "writers do not wait in line");
        }
        Turn {
            _lock: lock.ok(),
            _inner: inner,
        }
    }

    async fn lock(&self) -> std::io::Result<Lock> {
        let _wish = Wish::of(&self.desk);
        loop {
            if let Some(got) = self.desk.state().got.take() {
                return got;
            }
            // A thread that waits already was left behind by somebody who gave up.
            if self.desk.state().thread != Waiter::Waiting {
                if let Some(lock) = files::try_lock(&self.file)? {
                    return Ok(lock);
                }
                self.send_thread()?;
            }
            self.desk.changed.notified().await;
        }
    }

    fn send_thread(&self) -> std::io::Result<()> {
        let mut state = self.desk.state();
        if state.thread == Waiter::Missing {
            let (file, desk) = (self.file.clone(), Arc::clone(&self.desk));
            std::thread::Builder::new()
                .name("turn".to_owned())
                .stack_size(STACK)
                .spawn(move || wait_on_demand(&file, &desk))?;
        }
        state.thread = Waiter::Waiting;
        self.desk.sent.notify_one();
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.desk.state().thread = Waiter::Dismissed;
        self.desk.sent.notify_one();
    }
}

/// Waits for the lock whenever it is told to, until the line is gone.
fn wait_on_demand(file: &Path, desk: &Desk) {
    let mut state = desk.state();
    loop {
        match state.thread {
            Waiter::Dismissed => return,
            Waiter::Missing | Waiter::Resting => {
                state = desk
                    .sent
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            Waiter::Waiting => {
                drop(state);
                let got = files::wait_for_lock(file);
                state = desk.state();
                if state.thread == Waiter::Waiting {
                    state.thread = Waiter::Resting;
                }
                // What nobody wants is let go of here.
                state.got = state.wanted.then_some(got);
                desk.changed.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use super::{Line, Waiter, files};
    use crate::system::clock;

    /// Returns whether a lock is free, now or soon: what another test has just started has it for a moment too.
    async fn becomes_free(file: &Path) -> bool {
        for _ in 0..200 {
            if files::try_lock(file).expect("a file").is_some() {
                return true;
            }
            clock::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    #[tokio::test]
    async fn who_gives_up_leaves_the_lock_to_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("some.db");
        let file = folder.path().join("some.db.lock");
        let line = Line::before(&database);
        let other = files::try_lock(&file)
            .expect("a file")
            .expect("nobody has it");
        for _ in 0..3 {
            let waited = clock::within(Duration::from_millis(20), line.turn()).await;
            assert!(waited.is_none(), "somebody else has the lock");
        }
        let is_waiting = || line.desk.state().thread == Waiter::Waiting;
        assert!(is_waiting(), "one thread waits");
        drop(other);
        let mut tries = 0;
        while is_waiting() {
            clock::sleep(Duration::from_millis(1)).await;
            tries += 1;
            assert!(tries < 5000, "the thread must get the lock");
        }
        assert!(
            becomes_free(&file).await,
            "nobody wants it, so nobody has it"
        );
    }

    #[tokio::test]
    async fn who_waits_gets_the_lock_when_it_is_free() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("some.db");
        let file = folder.path().join("some.db.lock");
        let line = Line::before(&database);
        let other = files::try_lock(&file)
            .expect("a file")
            .expect("nobody has it");
        let gave_up = clock::within(Duration::from_millis(20), line.turn()).await;
        assert!(gave_up.is_none(), "somebody else has the lock");
        let let_go = async {
            clock::sleep(Duration::from_millis(20)).await;
            drop(other);
        };
        let (turn, ()) = tokio::join!(line.turn(), let_go);
        assert!(files::try_lock(&file).expect("a file").is_none());
        drop(turn);
        assert!(becomes_free(&file).await);
    }
}
