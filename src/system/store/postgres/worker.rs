//! The thread that speaks to the server.
//!
//! Reads and writes are closures that run to their end on the one thread of all calls, and what speaks to the server is
//! asynchronous. So the connections live on a thread of their own; who asks stands still until it answers, but never
//! longer than a statement may take. Only waiting for other writers, which may take long, is waited for as a future.

use std::{sync::mpsc, time::Duration};

use tokio::{runtime::Handle, sync::oneshot, task::AbortHandle};

use super::Failure;

/// How much longer than a statement may take its answer is waited for: the thread may be late itself.
const SLACK: Duration = Duration::from_secs(1);

/// The thread, for as long as this lives.
#[derive(Debug)]
pub(super) struct Worker {
    handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl Worker {
    /// Starts it.
    pub(super) fn start() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                // It ends when the sender is dropped.
                let _ended = runtime.block_on(stopped);
            })?;
        Ok(Self {
            handle,
            _stop: stop,
        })
    }

    /// Lets it do something nobody waits for.
    pub(super) fn leave(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(work));
    }

    /// Lets it do something until it is told to stop.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.handle.spawn(work).abort_handle()
    }

    /// Lets it do something, and stands still until that is done or the limit has passed.
    pub(super) fn carry_out<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.leave(async move {
            // Who asked may have given up.
            drop(sender.send(within(limit, work).await));
        });
        receiver
            .recv_timeout(limit + SLACK)
            .unwrap_or_else(|_late| Err(Failure::late(limit)))
    }

    /// Lets it do something, and waits.
    pub(super) async fn wait_for<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let (sender, receiver) = oneshot::channel();
        self.leave(async move {
            drop(sender.send(within(limit, work).await));
        });
        receiver
            .await
            .unwrap_or_else(|_gone| Err(Failure::lost("the connection is gone")))
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_late| Err(Failure::late(limit)))
}
