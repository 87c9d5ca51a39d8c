//! How a process hears that the database was written.

use super::postgres::Hints;
use crate::system::watched_file::WatchedFile;

/// What says so.
#[derive(Debug)]
pub(crate) enum Watched {
    /// The log of the file.
    File(WatchedFile),
    /// The server.
    Server(Hints),
}

impl Watched {
    /// Waits until something was written since the last time. May be dropped and called again.
    ///
    /// It may stay silent, so that who waits looks from time to time all the same.
    pub(crate) async fn changed(&self) {
        match self {
            Self::File(watched) => watched.changed().await,
            Self::Server(hints) => hints.changed().await,
        }
    }
}
