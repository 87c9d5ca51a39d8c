//! A file whose changes are noticed without looking at it again and again: the kernel says so (`inotify`).

use std::{io, mem::MaybeUninit, os::fd::OwnedFd, path::Path};

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::io::{Interest, unix::AsyncFd};

/// Bytes that are read of the kernel's notes at once; what they say does not matter.
const NOTES: usize = 4096;

/// A file that is watched.
#[derive(Debug)]
pub(crate) struct WatchedFile(AsyncFd<OwnedFd>);

impl WatchedFile {
    /// Watches a file that is there. Must be called on a runtime.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        let notes = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        inotify::add_watch(&notes, path, WatchFlags::MODIFY)?;
        #[expect(
            deprecated,
            reason = "what its successor has the caller promise holds here: the descriptor is owned for as long as it is registered"
        )]
        let registered = AsyncFd::with_interest(notes, Interest::READABLE);
        registered.map(Self)
    }

    /// Waits until something was written to it since the last time. May be dropped and called again.
    pub(crate) async fn changed(&self) {
        let Ok(mut ready) = self.0.readable().await else {
            return std::future::pending().await;
        };
        let mut room = [MaybeUninit::uninit(); NOTES];
        let mut notes = inotify::Reader::new(self.0.get_ref(), &mut room);
        while notes.next().is_ok() {}
        ready.clear_ready();
    }
}
