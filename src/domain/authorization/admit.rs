//! The door of calls that need leave: refused, let through, taken up, and brought to their end.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json, value::RawValue};

use super::{
    error::Error,
    model::{Outcome, Request, State},
    outcome, policy, records,
    standing::{self, Call, Standing, later},
};
use crate::{
    contract::{Answer, Description, Failure, Name},
    domain::audit::{self, Event, Note},
    system::{
        Context, clock, failpoint, files,
        named_lock::{self, Guard},
        store::{Connection, Fault},
    },
};

/// What the door says to a call.
#[derive(Debug)]
pub(crate) enum Admission {
    /// It needs nobody's leave.
    Free,
    /// It has begun, by leave of a person.
    Begun(Box<Execution>),
    /// The very same call ran while this one waited for it, and this is its answer.
    Kept(Box<Outcome>),
}

/// What the door says to a refused call that is to be resumed.
#[derive(Debug)]
pub(crate) enum Resumption {
    /// It has begun.
    Begun(Box<Execution>),
    /// What came of it is recorded.
    Ended,
}

/// A call that has begun by leave of a person; while it lives nobody else runs the same one.
#[derive(Debug)]
pub(crate) struct Execution {
    request: Request,
    user: String,
    _lock: Guard,
}

impl Execution {
    /// Returns the primitive that is to run.
    pub(crate) fn primitive(&self) -> &str {
        &self.request.primitive
    }

    /// Returns the input with which it is to run, as it was refused.
    pub(crate) fn input(&self) -> Value {
        self.request.input.clone().unwrap_or_default()
    }
}

/// What a transaction found after the lock was taken.
enum Begun {
    Runs(Request),
    Ended(Request),
    Rejected(Request),
    Refused(Request),
    Over(Request),
}

/// The newest request of a call and how often it was begun: what grew since was done by somebody else.
type Seen = (i64, u32);

/// Lets a call through, or records that it waits for a person.
///
/// `limit` is how long the very same call may be waited for, where it is under way.
pub(crate) async fn admit(
    context: &Context,
    about: &Description,
    input: &Value,
    limit: Duration,
) -> Result<Admission, Error> {
    let scopes = policy::needed(context, about, input)?;
    if scopes.is_empty() {
        return Ok(Admission::Free);
    }
    let made = (fresh_id("req")?, ttl(context)?);
    let call = Call::of(context, about, input, scopes, made);
    // A call that is refused needs no lock, and does not wait for one.
    let looked = context.store()?.write(|transaction| {
        let now = transaction.now()?;
        standing::expire(transaction, &call, &clock::text(now))?;
        let newest = records::newest(transaction, &call.sha256)?;
        let seen = newest
            .as_ref()
            .map_or((0, 0), |(number, request)| (*number, request.attempts));
        let newest = newest.map(|(_, request)| request);
        match standing::look(transaction, &call, newest, &clock::text(now))? {
            Standing::Open(_) | Standing::Covered(..) => Ok(Ok(seen)),
            Standing::Rejected(request) => Ok(Err(Begun::Rejected(request))),
            Standing::Refused(newest) => {
                let request = standing::refuse(transaction, &call, newest, now)?;
                Ok(Err(Begun::Refused(request)))
            }
        }
    });
    let seen = match looked.await? {
        Ok(seen) => seen,
        Err(refused) => return Err(said(refused)),
    };
    let lock = lock(context, &call, limit).await?;
    let begun = context
        .store()?
        .write(|transaction| begin_newest(transaction, &call, seen));
    match begun.await? {
        Begun::Runs(request) => {
            failpoint::reached("authorize.begun");
            Ok(Admission::Begun(Box::new(Execution {
                request,
                user: call.user,
                _lock: lock,
            })))
        }
        Begun::Ended(request) => match request.outcome {
            Some(outcome) => Ok(Admission::Kept(Box::new(outcome))),
            None => Err(Error::Closed(Box::new(request))),
        },
        refused @ (Begun::Rejected(_) | Begun::Refused(_) | Begun::Over(_)) => Err(said(refused)),
    }
}

/// Begins a refused call, where a person let it through and it has not run yet.
pub(crate) async fn resume(
    context: &Context,
    request_id: &Name,
    limit: Duration,
) -> Result<Resumption, Error> {
    let request = records::find_request(context, request_id)?;
    match request.state {
        State::Executed => return Ok(Resumption::Ended),
        State::Expired => return Err(Error::Closed(Box::new(request))),
        State::Pending | State::Approved | State::Rejected | State::Begun | State::Failed => {}
    }
    if !standing::is_current(context, &request) {
        return Err(Error::Outdated(Box::new(request)));
    }
    if request.input.is_none() {
        return Err(Error::NotKept(Box::new(request)));
    }
    let here = context.environment().directory().display().to_string();
    if let Some(directory) = request.directory.clone().filter(|there| *there != here) {
        return Err(Error::Elsewhere { directory });
    }
    let call = Call::of_request(context, &request, ttl(context)?);
    let seen = request.attempts;
    let lock = lock(context, &call, limit).await?;
    let begun = context
        .store()?
        .write(|transaction| begin_request(transaction, &call, request_id, seen));
    match begun.await? {
        Some(Begun::Runs(request)) => {
            failpoint::reached("authorize.begun");
            Ok(Resumption::Begun(Box::new(Execution {
                request,
                user: call.user,
                _lock: lock,
            })))
        }
        Some(Begun::Ended(_)) => Ok(Resumption::Ended),
        Some(refused @ (Begun::Rejected(_) | Begun::Refused(_) | Begun::Over(_))) => {
            Err(said(refused))
        }
        None => Err(Error::RequestUnknown {
            request_id: request_id.clone(),
        }),
    }
}

/// Records the end of a call that had begun, and lets go of it.
pub(crate) async fn settle(
    context: &Context,
    execution: Execution,
    ended: &Result<Answer<Box<RawValue>>, Failure>,
) -> Result<(), Error> {
    failpoint::reached("authorize.ran");
    let outcome = outcome::of(context, execution.primitive(), ended);
    let Execution {
        request,
        user,
        _lock,
    } = execution;
    let settled = context.store()?.write(|transaction| {
        let Some(mut request) = records::request(transaction, &request.request_id)? else {
            return Ok(());
        };
        request.state = if outcome.succeeded {
            State::Executed
        } else {
            State::Failed
        };
        request.ended_at = Some(transaction.now_text()?);
        let facts = json!({
            "primitive": request.primitive,
            "arguments_sha256": request.arguments_sha256,
            "succeeded": outcome.succeeded,
            "effect": outcome.effect,
            "error_code": outcome.error.as_ref().map(|error| error.error_code),
        });
        request.outcome = Some(outcome);
        records::update_request(transaction, &request)?;
        let (event, by, user) = (Event::Ended, "caller", user.as_str());
        let subject = request.request_id.as_str();
        audit::append(
            transaction,
            Note {
                event,
                by,
                user,
                subject,
                facts,
            },
        )
    });
    Ok(settled.await?)
}

/// Begins a call that came by itself.
fn begin_newest(transaction: &Connection<'_>, call: &Call, seen: Seen) -> Result<Begun, Fault> {
    let newest = records::newest(transaction, &call.sha256)?;
    if let Some((number, request)) = &newest
        && (*number, request.attempts) > seen
        && request.state == State::Executed
    {
        return Ok(Begun::Ended(request.clone()));
    }
    begin(transaction, call, newest.map(|(_, request)| request))
}

/// Begins a call that is resumed by its request; nothing where that is gone.
fn begin_request(
    transaction: &Connection<'_>,
    call: &Call,
    request_id: &Name,
    seen: u32,
) -> Result<Option<Begun>, Fault> {
    let now = transaction.now_text()?;
    standing::expire(transaction, call, &now)?;
    let Some(mut request) = records::request(transaction, request_id)? else {
        return Ok(None);
    };
    let is_over = request.expires_at <= now;
    if request.state == State::Expired || request.state == State::Rejected && is_over {
        request.state = State::Expired;
        return Ok(Some(Begun::Over(request)));
    }
    let was_tried = request.attempts > seen && request.state == State::Failed;
    if was_tried || request.state == State::Executed {
        return Ok(Some(Begun::Ended(request)));
    }
    begin(transaction, call, Some(request)).map(Some)
}

/// Counts the use and records that the call has begun, or says what it waits for.
fn begin(
    transaction: &Connection<'_>,
    call: &Call,
    newest: Option<Request>,
) -> Result<Begun, Fault> {
    let now = transaction.now()?;
    let at = clock::text(now);
    match standing::look(transaction, call, newest, &at)? {
        Standing::Rejected(request) => Ok(Begun::Rejected(request)),
        Standing::Refused(newest) => {
            standing::refuse(transaction, call, newest, now).map(Begun::Refused)
        }
        Standing::Open(mut request) => {
            request.state = State::Begun;
            request.attempts = request.attempts.saturating_add(1);
            records::update_request(transaction, &request)?;
            standing::note(transaction, Event::TakenUp, call, &request)?;
            Ok(Begun::Runs(request))
        }
        Standing::Covered(request, grants) => {
            let mut ids = Vec::new();
            for mut grant in grants {
                grant.used = grant.used.saturating_add(1);
                records::update_authorization(transaction, &grant)?;
                ids.push(grant.authorization_id);
            }
            let is_new = request.is_none();
            let mut request = request.unwrap_or_else(|| {
                standing::made(call, State::Begun, at.clone(), later(now, call.ttl))
            });
            request.state = State::Begun;
            request.authorizations = ids;
            request.attempts = request.attempts.saturating_add(1);
            request.begun_at = Some(at);
            request.outcome = None;
            if is_new {
                records::insert_request(transaction, &request)?;
            } else {
                records::update_request(transaction, &request)?;
            }
            standing::note(transaction, Event::Begun, call, &request)?;
            Ok(Begun::Runs(request))
        }
    }
}

/// Waits until nobody else runs the same call.
async fn lock(context: &Context, call: &Call, limit: Duration) -> Result<Guard, Error> {
    let name = format!("call-{}", call.sha256.get(..32).unwrap_or(&call.sha256));
    let waiting = named_lock::everywhere(context, &name);
    match clock::within(limit, waiting).await {
        Some(lock) => Ok(lock?),
        None => Err(Error::UnderWay { waited: limit }),
    }
}

fn said(refused: Begun) -> Error {
    match refused {
        Begun::Rejected(request) => Error::Rejected(Box::new(request)),
        Begun::Refused(request) => Error::Required(Box::new(request)),
        Begun::Over(request) | Begun::Ended(request) | Begun::Runs(request) => {
            Error::Closed(Box::new(request))
        }
    }
}

fn ttl(context: &Context) -> Result<SignedDuration, Error> {
    let seconds = context.configuration()?.authorization.request_ttl_s();
    Ok(SignedDuration::from_secs(seconds.into()))
}

/// Makes an id that nothing has.
pub(super) fn fresh_id(kind: &str) -> Result<Name, Error> {
    let random = files::random_hexadecimal(8)
        .map_err(|source| files::Error::of(std::path::Path::new("/dev/urandom"), source))?;
    Ok(Name::fixed(&format!("{kind}-{random}")))
}
