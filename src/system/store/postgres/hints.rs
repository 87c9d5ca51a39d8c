//! That something was written, as the server tells everybody: a hint that saves looking, and nothing to rely on.

use std::{future::poll_fn, sync::Arc, time::Duration};

use tokio::{sync::Notify, task::AbortHandle, time};
use tokio_postgres::{AsyncMessage, NoTls};

use super::{
    Address, Failure,
    session::{CONNECT_LIMIT, STATEMENT_LIMIT},
    worker::Worker,
};

/// Listens to what writers say when they commit.
const LISTEN: &str = "LISTEN legwork";

/// The pause before another try to listen, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// Listens for as long as it lives, on a connection of its own.
#[derive(Debug)]
pub(crate) struct Hints {
    news: Arc<Notify>,
    listening: AbortHandle,
    _worker: Arc<Worker>,
}

impl Hints {
    /// Begins to listen; a server that cannot be reached is tried again and again.
    pub(super) fn new(worker: Arc<Worker>, address: Address) -> Self {
        let news = Arc::new(Notify::new());
        let listening = worker.spawn(listen(address, Arc::clone(&news)));
        Self {
            news,
            listening,
            _worker: worker,
        }
    }

    /// Waits until the server has said that something was written since the last time.
    pub(crate) async fn changed(&self) {
        self.news.notified().await;
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(address: Address, news: Arc<Notify>) {
    let mut pause = PAUSES.0;
    loop {
        let since = time::Instant::now();
        if let Err(failure) = hear(&address, &news).await {
            tracing::debug!(%failure, "nobody says when the database is written");
        }
        pause = if since.elapsed() > PAUSES.1 {
            PAUSES.0
        } else {
            (pause * 2).min(PAUSES.1)
        };
        time::sleep(pause).await;
    }
}

/// Listens until the connection ends.
async fn hear(address: &Address, news: &Notify) -> Result<(), Failure> {
    let connecting = time::timeout(CONNECT_LIMIT, address.config.connect(NoTls));
    let connected = connecting.await.map_err(|_| Failure::late(CONNECT_LIMIT))?;
    let (client, mut connection) = connected?;
    let asks = async {
        let asked = time::timeout(STATEMENT_LIMIT, client.batch_execute(LISTEN)).await;
        asked.map_err(|_| Failure::late(STATEMENT_LIMIT))??;
        // What was written before is not told.
        news.notify_one();
        std::future::pending::<Result<(), Failure>>().await
    };
    let hears = async {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(_) = message? {
                news.notify_one();
            }
        }
        Ok::<(), Failure>(())
    };
    tokio::select! {
        ended = hears => ended,
        failed = asks => failed,
    }
}
