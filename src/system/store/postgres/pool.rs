//! The connections of this process. Calls of a service that are under way at the same time have one each.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    Address, Failure, Hints, Session,
    session::{CONNECT_LIMIT, connect},
    worker::Worker,
};

/// Connections that stay open while nobody uses them.
const KEPT: usize = 4;

/// The connections.
#[derive(Debug)]
pub(super) struct Pool {
    address: Address,
    worker: Arc<Worker>,
    idle: Mutex<Vec<Session>>,
}

/// A connection that is in use. It goes back when it is dropped, unless something of it is still under way.
#[derive(Debug)]
pub(super) struct Lent<'a> {
    pool: &'a Pool,
    session: Option<Session>,
    /// Whether a transaction is open.
    pub(super) is_busy: bool,
}

impl Pool {
    /// Makes one without any connection.
    pub(super) fn new(address: Address) -> std::io::Result<Self> {
        Ok(Self {
            address,
            worker: Arc::new(Worker::start()?),
            idle: Mutex::default(),
        })
    }

    /// Returns what may be shown of the server.
    pub(super) fn server(&self) -> &str {
        self.address.shown()
    }

    /// Listens for writes.
    pub(super) fn hints(&self) -> Hints {
        Hints::new(Arc::clone(&self.worker), self.address.clone())
    }

    /// Takes a connection, making one where none is idle; the thread stands still meanwhile.
    pub(super) fn take(&self) -> Result<Lent<'_>, Failure> {
        let session = match self.idle_one() {
            Some(session) => session,
            None => self.made(
                self.worker
                    .carry_out(CONNECT_LIMIT, connect(self.address.clone()))?,
            ),
        };
        Ok(self.lend(session))
    }

    /// Takes a connection, making one where none is idle.
    pub(super) async fn wait_for_one(&self) -> Result<Lent<'_>, Failure> {
        let session = match self.idle_one() {
            Some(session) => session,
            None => self.made(
                self.worker
                    .wait_for(CONNECT_LIMIT, connect(self.address.clone()))
                    .await?,
            ),
        };
        Ok(self.lend(session))
    }

    fn made(&self, client: tokio_postgres::Client) -> Session {
        Session::new(client, Arc::clone(&self.worker))
    }

    fn lend(&self, session: Session) -> Lent<'_> {
        Lent {
            pool: self,
            session: Some(session),
            is_busy: false,
        }
    }

    fn idle_one(&self) -> Option<Session> {
        let mut idle = self.idle();
        while let Some(session) = idle.pop() {
            if session.is_usable() {
                return Some(session);
            }
        }
        None
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent<'_> {
    /// Takes the connection out of the pool for good.
    pub(super) fn keep(mut self) -> Result<Session, Failure> {
        self.session
            .take()
            .ok_or_else(|| Failure::lost("the connection was given back"))
    }

    /// Returns the connection.
    pub(super) fn session(&self) -> Result<&Session, Failure> {
        self.session
            .as_ref()
            .ok_or_else(|| Failure::lost("the connection was given back"))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else {
            return;
        };
        if self.is_busy || !session.is_usable() {
            session.break_off();
            return;
        }
        let mut idle = self.pool.idle();
        if idle.len() < KEPT {
            idle.push(session);
        }
    }
}
