//! What a person decides of a request: to let its call through, once, to say no, and to take back what was granted.

use jiff::SignedDuration;
use serde_json::json;

use super::{
    admit::fresh_id,
    approver::{self, Question},
    error::Error,
    minutes::{masked, noted, shown},
    model::{Authorization, Decision, Request, State, Via},
    records,
    standing::{self, later},
};
use crate::{
    contract::{Effect, Name},
    domain::audit::Event,
    system::{
        Context, clock, digest,
        store::{Connection, Fault, Written},
    },
};

/// What was decided of a request.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    pub(crate) request: Request,
    /// What lets it through, where it was let through.
    pub(crate) authorization: Option<Authorization>,
    pub(crate) effect: Effect,
}

/// What a transaction found.
enum Found<T> {
    Done(T),
    Closed(Box<Request>),
    Gone,
}

/// Lets the call of a request through, once.
pub(crate) async fn approve(
    context: &Context,
    request_id: &Name,
    expires_in_s: u32,
    note: Option<&str>,
    dry_run: bool,
) -> Result<Decided, Error> {
    let request = records::find_request(context, request_id)?;
    let read = context
        .store()?
        .read(|connection| before_approval(connection, request.clone()))?;
    match read {
        Ok(None) if !dry_run => {}
        Ok(there) => {
            let effect = match (&there, dry_run) {
                (Some(_), false) => Effect::Replayed,
                (Some(_) | None, _) => Effect::None,
            };
            return Ok(Decided {
                request,
                authorization: there,
                effect,
            });
        }
        Err(closed) => return Err(Error::Closed(Box::new(closed))),
    }
    if !standing::is_current(context, &request) {
        return Err(Error::Outdated(Box::new(request)));
    }
    let by = approver::verify(context, &question(&request, "let through, once"))?;
    let (user, note) = (context.environment().user(), masked(context, note));
    let authorization_id = fresh_id("grant")?;
    let approve = |transaction: &Connection<'_>| {
        let Some(request) = records::request(transaction, request_id)? else {
            return Ok(Written::Unchanged(Found::Gone));
        };
        let mut request = match before_approval(transaction, request.clone())? {
            Ok(None) => request,
            Ok(there @ Some(_)) => {
                let effect = Effect::Replayed;
                let found = Found::Done((request, there, effect));
                return Ok(Written::Unchanged(found));
            }
            Err(closed) => return Ok(Written::Unchanged(Found::Closed(Box::new(closed)))),
        };
        let now = transaction.now()?;
        let terms_sha256 = digest::canonical(&json!([request_id, request.call_sha256]));
        let made = Authorization {
            authorization_id: authorization_id.clone(),
            idempotency_key: authorization_id.to_string(),
            terms_sha256,
            request_id: Some(request_id.clone()),
            scope: None,
            primitive: None,
            uses: 1,
            used: 0,
            granted_at: clock::text(now),
            expires_at: later(now, SignedDuration::from_secs(expires_in_s.into())),
            by,
            user: user.clone(),
            note: note.clone(),
            revoked_at: None,
        };
        records::insert_authorization(transaction, &made)?;
        request.state = State::Approved;
        request.authorizations = vec![authorization_id.clone()];
        request.decision = Some(decision(true, &clock::text(now), by, &user, note.clone()));
        records::update_request(transaction, &request)?;
        let facts = json!({
            "authorization_id": authorization_id,
            "primitive": request.primitive,
            "arguments_sha256": request.arguments_sha256,
            "expires_in_s": expires_in_s,
            "note": note,
        });
        let subject = request_id.as_str();
        noted(
            transaction,
            Event::Granted,
            by.name(),
            &user,
            subject,
            facts,
        )?;
        let found = Found::Done((request, Some(made), Effect::Applied));
        Ok(Written::Changed(found))
    };
    let approved = context
        .store()?
        .write_metered(context.meter(), approve)
        .await?;
    decided(approved, request_id)
}

/// Says no to a request. What was granted to it and not used is taken back.
pub(crate) async fn reject(
    context: &Context,
    request_id: &Name,
    note: Option<&str>,
    dry_run: bool,
) -> Result<Decided, Error> {
    let request = records::find_request(context, request_id)?;
    let is_open = |request: &Request| {
        matches!(
            request.state,
            State::Pending | State::Approved | State::Failed
        )
    };
    if request.state == State::Rejected || is_open(&request) && dry_run {
        let effect = if dry_run {
            Effect::None
        } else {
            Effect::Replayed
        };
        return Ok(Decided {
            request,
            authorization: None,
            effect,
        });
    }
    if !is_open(&request) {
        return Err(Error::Closed(Box::new(request)));
    }
    let by = approver::verify(context, &question(&request, "rejected"))?;
    let (user, note) = (context.environment().user(), masked(context, note));
    let reject = |transaction: &Connection<'_>| {
        let Some(mut request) = records::request(transaction, request_id)? else {
            return Ok(Written::Unchanged(Found::Gone));
        };
        if request.state == State::Rejected {
            let found = Found::Done((request, None, Effect::Replayed));
            return Ok(Written::Unchanged(found));
        }
        if !is_open(&request) {
            return Ok(Written::Unchanged(Found::Closed(Box::new(request))));
        }
        let at = transaction.now_text()?;
        for id in std::mem::take(&mut request.authorizations) {
            take_back(transaction, &id, &at)?;
        }
        request.state = State::Rejected;
        request.decision = Some(decision(false, &at, by, &user, note.clone()));
        records::update_request(transaction, &request)?;
        let facts = json!({
            "primitive": request.primitive,
            "arguments_sha256": request.arguments_sha256,
            "note": note,
        });
        let subject = request_id.as_str();
        noted(
            transaction,
            Event::Rejected,
            by.name(),
            &user,
            subject,
            facts,
        )?;
        Ok(Written::Changed(Found::Done((
            request,
            None,
            Effect::Applied,
        ))))
    };
    let rejected = context
        .store()?
        .write_metered(context.meter(), reject)
        .await?;
    decided(rejected, request_id)
}

/// Takes back what was granted. Anybody may: it lets nothing through. A call that has begun runs to its end.
pub(crate) async fn revoke(
    context: &Context,
    authorization_id: &Name,
    dry_run: bool,
) -> Result<(Authorization, Effect), Error> {
    let grant = records::find_authorization(context, authorization_id)?;
    if dry_run || grant.revoked_at.is_some() {
        let effect = if dry_run {
            Effect::None
        } else {
            Effect::Replayed
        };
        return Ok((grant, effect));
    }
    let user = context.environment().user();
    let revoke = |transaction: &Connection<'_>| {
        let at = transaction.now_text()?;
        let is_first = take_back(transaction, authorization_id, &at)?;
        let Some(grant) = records::authorization(transaction, authorization_id)? else {
            return Ok(Written::Unchanged(None));
        };
        if !is_first {
            return Ok(Written::Unchanged(Some((grant, Effect::Replayed))));
        }
        if let Some(request_id) = &grant.request_id
            && let Some(mut request) = records::request(transaction, request_id)?
            && request.state == State::Approved
        {
            // It waits again, as if nobody had said anything.
            request.state = State::Pending;
            request.decision = None;
            request.authorizations.clear();
            records::update_request(transaction, &request)?;
        }
        let facts = json!({
            "scope": grant.scope,
            "request_id": grant.request_id,
            "uses": grant.uses,
            "used": grant.used,
        });
        let subject = authorization_id.as_str();
        noted(transaction, Event::Revoked, "caller", &user, subject, facts)?;
        Ok(Written::Changed(Some((grant, Effect::Applied))))
    };
    let revoked = context
        .store()?
        .write_metered(context.meter(), revoke)
        .await?;
    revoked.ok_or_else(|| Error::AuthorizationUnknown {
        authorization_id: authorization_id.clone(),
    })
}

/// Finds what lets a request through already; the request itself where it is closed.
fn before_approval(
    connection: &Connection<'_>,
    mut request: Request,
) -> Result<Result<Option<Authorization>, Request>, Fault> {
    let now = connection.now_text()?;
    let is_over = request.expires_at <= now;
    match request.state {
        State::Executed | State::Expired => Ok(Err(request)),
        State::Pending | State::Rejected if is_over => {
            request.state = State::Expired;
            Ok(Err(request))
        }
        State::Pending | State::Rejected => Ok(Ok(None)),
        State::Approved | State::Begun | State::Failed => {
            for id in &request.authorizations {
                if let Some(grant) = records::authorization(connection, id)?
                    && grant.still_holds(&now)
                {
                    return Ok(Ok(Some(grant)));
                }
            }
            Ok(Ok(None))
        }
    }
}

/// Takes an authorization back; false where that was done before, or there is none.
fn take_back(connection: &Connection<'_>, id: &Name, at: &str) -> Result<bool, Fault> {
    match records::authorization(connection, id)? {
        Some(mut grant) if grant.revoked_at.is_none() => {
            grant.revoked_at = Some(at.to_owned());
            records::update_authorization(connection, &grant)?;
            Ok(true)
        }
        Some(_) | None => Ok(false),
    }
}

/// What a transaction on a request comes to: the request, what lets it through, and the effect.
type Settled = (Request, Option<Authorization>, Effect);

fn decided(found: Found<Settled>, request_id: &Name) -> Result<Decided, Error> {
    match found {
        Found::Done((request, authorization, effect)) => Ok(Decided {
            request,
            authorization,
            effect,
        }),
        Found::Closed(request) => Err(Error::Closed(request)),
        Found::Gone => Err(Error::RequestUnknown {
            request_id: request_id.clone(),
        }),
    }
}

fn decision(approved: bool, at: &str, by: Via, user: &str, note: Option<String>) -> Decision {
    Decision {
        approved,
        at: at.to_owned(),
        by,
        user: user.to_owned(),
        note,
    }
}

/// Makes the question about a request, which shows all of it.
fn question(request: &Request, what: &str) -> Question {
    let input = match &request.input {
        Some(input) => shown(input, "legwork list-waiting"),
        None => vec!["  (it holds a secret and was not kept)".to_owned()],
    };
    let scopes: Vec<String> = request
        .scopes
        .iter()
        .map(|scope| format!("{}: it {}", scope.name(), scope.meaning()))
        .collect();
    let mut lines = vec![
        format!("This call is to be {what}:"),
        String::new(),
        format!("  {}", request.primitive),
    ];
    lines.extend(input);
    if let Some(directory) = &request.directory {
        lines.push(format!("  in {directory}"));
    }
    lines.extend([
        String::new(),
        scopes.join("; "),
        format!(
            "Request {} of {}, arguments {}",
            request.request_id, request.requested_at, request.arguments_sha256
        ),
    ]);
    Question {
        lines,
        word: request.primitive.clone(),
    }
}
