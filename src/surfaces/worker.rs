//! `run-worker`: takes tasks out of the queue and carries them out, until it is told to end.

use std::{sync::Arc, time::Instant};

use futures_util::{FutureExt as _, future::BoxFuture};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{dispatch, output, serve::Serve, session::Session, signals};
use crate::{
    contract::{Answer, Effect, Envelope, Failure, Name, unknown_primitive},
    registry::{
        self, Entry,
        worker::{self, Caller, Stop},
    },
    system::{clock, process},
};

/// Takes tasks out of the queue and carries them out: commands, prompts for agents, and calls of primitives; several at once, here
/// or on the hosts that they name.
///
/// It works until it is told to end: SIGTERM or SIGINT lets it take no more and wait `drain_s` for what runs, a second one ends it
/// at once. What still runs then goes on, and the next worker takes it over; so it is when the worker is killed. At its end it
/// prints one line, which says what became of its tasks. Progress is on stderr. Of each name one worker runs.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    /// Its name, which others see as the claimer of its tasks.
    #[serde(default = "name")]
    name: Name,
    /// How many tasks it runs at once; as many as there are processors where none is given. With 0 it takes none, and only sees to its
    /// end what workers that are gone left.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1000))]
    concurrency: Option<u32>,
    /// Only tasks for one of these agents, or for none in particular.
    #[serde(default)]
    #[schemars(length(max = 50))]
    agents: Vec<Name>,
    /// Only tasks for one of these hosts, or for none in particular.
    #[serde(default)]
    #[schemars(length(max = 50))]
    hosts: Vec<Name>,
    /// Seconds of its leases, which it renews as long as it lives.
    #[serde(default = "lease_s")]
    #[schemars(range(min = 3, max = 86_400))]
    lease_s: u64,
    /// Ends after so many tasks.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    max_tasks: Option<u64>,
    /// Ends once for so many seconds there was nothing to do; 0 ends it when the queue has nothing for it.
    #[serde(default)]
    #[schemars(range(min = 0, max = 31_536_000))]
    idle_exit_s: Option<u64>,
    /// Seconds that what runs may take to end when the worker is told to end.
    #[serde(default = "drain_s")]
    #[schemars(range(min = 0, max = 604_800))]
    drain_s: u64,
    /// Whether `start-worker` started it.
    #[serde(default)]
    background: bool,
}

fn name() -> Name {
    Name::fixed("worker")
}

const fn lease_s() -> u64 {
    60
}

const fn drain_s() -> u64 {
    60
}

/// The service.
pub(super) struct Worker {
    session: Arc<Session>,
    options: Options,
    since: Instant,
}

impl Worker {
    /// Prepares it.
    pub(super) fn new(session: Session, options: Options) -> Self {
        Self {
            session: Arc::new(session),
            options,
            since: clock::instant(),
        }
    }
}

/// Calls primitives through the one door.
struct Door(Arc<Session>);

impl Caller for Door {
    fn call(&self, primitive: &str, input: Value) -> BoxFuture<'static, Envelope> {
        let (session, primitive) = (Arc::clone(&self.0), primitive.to_owned());
        async move {
            let ongoing = session.begin();
            match Entry::find(&primitive) {
                Some(entry) => ongoing.call(entry, input).await,
                None => {
                    ongoing.refuse("", unknown_primitive(&primitive, &registry::descriptions()))
                }
            }
        }
        .boxed()
    }
}

impl Serve for Worker {
    fn serve(self: Box<Self>, runtime: &tokio::runtime::Runtime) -> u8 {
        let (tell, stop) = watch::channel(Stop::No);
        tell_on_signals(tell);
        let Options {
            name,
            concurrency,
            agents,
            hosts,
            lease_s,
            max_tasks,
            idle_exit_s,
            drain_s,
            background,
        } = self.options;
        let options = worker::Options {
            worker: name,
            concurrency: concurrency.unwrap_or_else(process::processors),
            agents,
            hosts,
            lease_s,
            max_tasks,
            idle_exit_s,
            drain_s,
        };
        let context = self.session.context();
        let caller: Arc<dyn Caller> = Arc::new(Door(Arc::clone(&self.session)));
        let worked = runtime.block_on(worker::run(context, options, background, caller, stop));
        let envelope = match worked {
            Ok(session) => {
                let data = json!({
                    "session_id": session.session_id, "name": session.worker, "started_at": session.started_at,
                    "ended_at": session.ended_at, "end": session.end, "counts": session.counts,
                });
                let effect = if session.counts == worker::Counts::default() {
                    Effect::None
                } else {
                    Effect::Applied
                };
                match serde_json::value::to_raw_value(&data) {
                    Ok(data) => {
                        let answer = Answer::new(effect, data);
                        dispatch::success(context, "run-worker", false, answer, self.since)
                    }
                    Err(error) => refused(
                        &self.session,
                        self.since,
                        Failure::internal(error.to_string()),
                    ),
                }
            }
            Err(error) => refused(&self.session, self.since, error.into()),
        };
        output::answer(&envelope, None)
    }
}

fn refused(session: &Session, since: Instant, failure: Failure) -> Envelope {
    dispatch::refusal(session.context(), "run-worker", failure, since)
}

/// Lets the first signal drain the worker, and the next one end it.
fn tell_on_signals(tell: watch::Sender<Stop>) {
    signals::on_signal(move |_signal| {
        // Where nobody listens any more the worker has ended.
        let _ended = tell.send(Stop::Drain);
        let first = clock::instant();
        again(tell, first);
    });
}

/// Waits for another signal; one right behind the first is taken to be one with it, as SIGHUP behind SIGTERM.
fn again(tell: watch::Sender<Stop>, first: Instant) {
    signals::on_signal(move |_signal| {
        if first.elapsed() > signals::TOGETHER {
            let _ended = tell.send(Stop::Now);
        } else {
            again(tell, first);
        }
    });
}
