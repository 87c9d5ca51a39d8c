//! How a call stands at the door: what lets it through, or what it waits for.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    model::{Authorization, Request, State},
    records,
};
use crate::{
    contract::{Description, Name, Scope},
    domain::audit::{self, Event, Note},
    system::{
        Context, clock, digest,
        store::{Connection, Fault},
    },
};

/// A call that needs leave.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) primitive: String,
    /// The input; nothing where it is not to be written.
    pub(super) input: Option<Value>,
    /// The folder that it was sent from, where what it does depends on that.
    pub(super) directory: Option<String>,
    /// The scopes for which leave is needed.
    pub(super) scopes: Vec<Scope>,
    /// SHA-256 of the canonical JSON of primitive and input.
    pub(super) arguments_sha256: String,
    /// Digest of the arguments, the folder and the interface.
    pub(super) sha256: String,
    /// Digest of what the primitive takes.
    pub(super) interface_sha256: String,
    /// The login of the caller.
    pub(super) user: String,
    /// The id of its request, where one has to be made.
    pub(super) fresh_id: Name,
    /// How long a request waits.
    pub(super) ttl: SignedDuration,
}

impl Call {
    /// Takes a call as it was sent.
    pub(super) fn of(
        context: &Context,
        about: &Description,
        input: &Value,
        scopes: Vec<Scope>,
        (fresh_id, ttl): (Name, SignedDuration),
    ) -> Self {
        let arguments_sha256 = digest::canonical(&json!({"primitive": about.name, "input": input}));
        let directory = about
            .depends_on_folder()
            .then(|| context.environment().directory().display().to_string());
        let interface_sha256 = interface(about);
        let sha256 = digest::canonical(&json!([arguments_sha256, directory, interface_sha256]));
        // A secret is written nowhere, not even in the input of a call that waits.
        let text = input.to_string();
        let is_plain = context.redactor().text(&text) == text;
        Self {
            primitive: about.name.to_owned(),
            input: is_plain.then(|| input.clone()),
            directory,
            scopes,
            arguments_sha256,
            sha256,
            interface_sha256,
            user: context.environment().user(),
            fresh_id,
            ttl,
        }
    }

    /// Takes a call that was refused before.
    pub(super) fn of_request(context: &Context, request: &Request, ttl: SignedDuration) -> Self {
        Self {
            primitive: request.primitive.clone(),
            input: request.input.clone(),
            directory: request.directory.clone(),
            scopes: request.scopes.clone(),
            arguments_sha256: request.arguments_sha256.clone(),
            sha256: request.call_sha256.clone(),
            interface_sha256: request.interface_sha256.clone(),
            user: context.environment().user(),
            fresh_id: request.request_id.clone(),
            ttl,
        }
    }
}

/// Makes the digest of what a primitive takes: the version of legwork, and the schema of its input with all defaults.
fn interface(about: &Description) -> String {
    let (version, schema) = (env!("CARGO_PKG_VERSION"), (about.input_schema)());
    digest::canonical(&json!({"version": version, "input_schema": schema.to_value()}))
}

/// Returns whether the primitive of a request takes what it took when the call was refused.
///
/// Where it does not, the person who decides would read the input in another way than the one who sent it.
pub(super) fn is_current(context: &Context, request: &Request) -> bool {
    let known = context.descriptions();
    let about = known.iter().find(|about| about.name == request.primitive);
    about.is_some_and(|about| interface(about) == request.interface_sha256)
}

/// How a call stands.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// It has begun before and not come to a good end, and what let it through still holds.
    Open(Request),
    /// These let it through; their uses are to be counted, on the request where there is one.
    Covered(Option<Request>, Vec<Authorization>),
    /// A person said no.
    Rejected(Request),
    /// Nothing lets it through.
    Refused(Option<Request>),
}

/// Finds out how a call stands, from the newest request of it.
pub(super) fn look(
    connection: &Connection<'_>,
    call: &Call,
    newest: Option<Request>,
    now: &str,
) -> Result<Standing, Fault> {
    if let Some(request) = &newest {
        let grants = |check: fn(&Authorization, &str) -> bool| -> Result<_, Fault> {
            let mut found = Vec::new();
            for id in &request.authorizations {
                match records::authorization(connection, id)? {
                    Some(grant) if check(&grant, now) => found.push(grant),
                    Some(_) | None => return Ok(None),
                }
            }
            Ok((!found.is_empty()).then_some(found))
        };
        match request.state {
            State::Rejected if request.expires_at.as_str() > now => {
                return Ok(Standing::Rejected(request.clone()));
            }
            State::Approved => {
                let holds =
                    |grant: &Authorization, now: &str| grant.is_live() && grant.still_holds(now);
                if let Some(grants) = grants(holds)? {
                    return Ok(Standing::Covered(newest, grants));
                }
            }
            State::Begun | State::Failed => {
                if grants(Authorization::still_holds)?.is_some() {
                    return Ok(Standing::Open(request.clone()));
                }
            }
            State::Pending | State::Rejected | State::Executed | State::Expired => {}
        }
    }
    let mut grants = Vec::new();
    for scope in &call.scopes {
        match records::covering(connection, *scope, &call.primitive, now)? {
            Some(grant) => grants.push(grant),
            None => return Ok(Standing::Refused(newest)),
        }
    }
    let reusable = newest.filter(|request| {
        !matches!(
            request.state,
            State::Executed | State::Rejected | State::Expired
        )
    });
    Ok(Standing::Covered(reusable, grants))
}

/// Records that a call waits for a person. The same call again finds the request that waits already.
pub(super) fn refuse(
    connection: &Connection<'_>,
    call: &Call,
    newest: Option<Request>,
    now: Timestamp,
) -> Result<Request, Fault> {
    let at = clock::text(now);
    let until = later(now, call.ttl);
    let request = match newest {
        Some(request) if request.state == State::Pending && request.expires_at > at => {
            return Ok(request);
        }
        // What let it through is over: the same request waits again.
        Some(mut request)
            if matches!(
                request.state,
                State::Approved | State::Begun | State::Failed
            ) =>
        {
            request.state = State::Pending;
            request.decision = None;
            request.authorizations.clear();
            request.expires_at = until;
            records::update_request(connection, &request)?;
            request
        }
        Some(_) | None => {
            let request = made(call, State::Pending, at, until);
            records::insert_request(connection, &request)?;
            request
        }
    };
    note(connection, Event::Requested, call, &request)?;
    Ok(request)
}

/// Makes the record of a call.
pub(super) fn made(call: &Call, state: State, at: String, until: String) -> Request {
    Request {
        request_id: call.fresh_id.clone(),
        primitive: call.primitive.clone(),
        input: call.input.clone(),
        directory: call.directory.clone(),
        arguments_sha256: call.arguments_sha256.clone(),
        call_sha256: call.sha256.clone(),
        interface_sha256: call.interface_sha256.clone(),
        scopes: call.scopes.clone(),
        state,
        requested_at: at,
        expires_at: until,
        decision: None,
        authorizations: Vec::new(),
        attempts: 0,
        begun_at: None,
        ended_at: None,
        outcome: None,
    }
}

/// Notes what happened to a call in the audit log.
pub(super) fn note(
    connection: &Connection<'_>,
    event: Event,
    call: &Call,
    request: &Request,
) -> Result<(), Fault> {
    let facts = json!({
        "primitive": request.primitive,
        "arguments_sha256": request.arguments_sha256,
        "scopes": request.scopes,
        "authorizations": request.authorizations,
    });
    let (by, subject) = ("caller", request.request_id.as_str());
    let user = &call.user;
    audit::append(
        connection,
        Note {
            event,
            by,
            user,
            subject,
            facts,
        },
    )
}

/// Drops the requests whose time is over, and notes it.
pub(super) fn expire(connection: &Connection<'_>, call: &Call, now: &str) -> Result<(), Fault> {
    for request in records::expire(connection, now)? {
        note(connection, Event::Expired, call, &request)?;
    }
    Ok(())
}

/// Returns a later time as it is recorded; the same one where it would be out of range.
pub(super) fn later(now: Timestamp, by: SignedDuration) -> String {
    clock::text(now.checked_add(by).unwrap_or(now))
}
