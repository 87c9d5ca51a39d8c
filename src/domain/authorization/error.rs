//! What can go wrong where a person has to decide.

use std::time::Duration;

use serde_json::json;

use super::model::Request;
use crate::{
    contract::{
        Below, Code, Coded, Name, Next, Retry, Scope, details, details::Details, passes_on,
    },
    domain::audit,
    system::{configuration, files, store},
};

/// Why a call is not let through, or a decision not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The call waits for a person.
    #[error("{} needs the leave of a person for {}, and waits for it as {}", .0.primitive, listed(&.0.scopes), .0.request_id)]
    Required(Box<Request>),
    /// A person said no to the call.
    #[error("a person rejected this call of {}{}", .0.primitive, noted(.0))]
    Rejected(Box<Request>),
    /// Nothing shows that the caller is a person.
    #[error("nothing shows that a person decides: {found}")]
    Unverified {
        /// Why, in one word.
        reason: &'static str,
        /// What was found.
        found: String,
    },
    /// There is no such request.
    #[error("there is no request {request_id}")]
    RequestUnknown {
        /// The id.
        request_id: Name,
    },
    /// The request is over.
    #[error("the request {} is closed: it is {}", .0.request_id, .0.state.name())]
    Closed(Box<Request>),
    /// The request was made by another version.
    #[error("the request {} was made with another version of legwork, to which its input may mean something else", .0.request_id)]
    Outdated(Box<Request>),
    /// There is no such authorization.
    #[error("there is no authorization {authorization_id}")]
    AuthorizationUnknown {
        /// The id.
        authorization_id: Name,
    },
    /// The key was used before for something else.
    #[error("the idempotency key {key:?} was used before, for another grant")]
    KeyReused {
        /// The key.
        key: String,
    },
    /// The input of the call was not kept.
    #[error("the input of {} holds a secret, and was not kept", .0.request_id)]
    NotKept(Box<Request>),
    /// The call was sent from another folder.
    #[error("the call was sent from {directory:?}, and what it does depends on that")]
    Elsewhere {
        /// The folder.
        directory: String,
    },
    /// The very same call did not come to its end in the time to wait.
    #[error("the very same call is under way, and did not end within {} s", .waited.as_secs())]
    UnderWay {
        /// How long it was waited for.
        waited: Duration,
    },
    /// An error from below.
    #[error(transparent)]
    Below(Below),
}

passes_on!(Error: audit::Error, configuration::Error, files::Error, store::Error);

fn listed(scopes: &[Scope]) -> String {
    let names: Vec<&str> = scopes.iter().copied().map(Scope::name).collect();
    names.join(", ")
}

fn noted(request: &Request) -> String {
    let note = request
        .decision
        .as_ref()
        .and_then(|decision| decision.note.as_deref());
    note.map_or_else(String::new, |note| format!(": {note}"))
}

fn of_request(request: &Request) -> Details {
    details::Authorization::new(
        request.request_id.to_string(),
        &request.primitive,
        &request.arguments_sha256,
        request.state.name(),
    )
    .scopes(request.scopes.iter().copied().map(Scope::name))
    .until(&request.expires_at)
    .command(request.command())
    .into()
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Required(_) => Code::AuthorizationRequired,
            Self::Rejected(_) => Code::AuthorizationRejected,
            Self::Unverified { .. } => Code::ApproverUnverified,
            Self::RequestUnknown { .. } => Code::RequestUnknown,
            Self::Closed(_) | Self::Outdated(_) => Code::RequestClosed,
            Self::AuthorizationUnknown { .. } => Code::AuthorizationUnknown,
            Self::KeyReused { .. } => Code::IdempotencyKeyReused,
            Self::NotKept(_) => Code::CallNotKept,
            Self::Elsewhere { .. } => Code::CallElsewhere,
            Self::UnderWay { .. } => Code::DeadlineExceeded,
            Self::Below(inner) => inner.code(),
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Required(request) => format!(
                "Ask a person to run `{}` at a terminal; then send the same call again, or resume-call with request_id {}.",
                request.command(),
                request.request_id
            ),
            Self::Rejected(request) => format!(
                "Do something else. A person who changes their mind runs `{}`.",
                request.command()
            ),
            Self::Unverified { .. } => {
                "Run the same command at a terminal yourself and type what it asks for, or give the key in LEGWORK_AUTHORIZATION_KEY."
                    .to_owned()
            }
            Self::RequestUnknown { .. } => {
                "Use an id from list-waiting, or the one in the answer of the call that was refused."
                    .to_owned()
            }
            Self::Closed(request) | Self::Outdated(request) => format!(
                "Send the call of {} itself again; where it still needs leave, that makes a new request.",
                request.primitive
            ),
            Self::AuthorizationUnknown { .. } => {
                "Use an id from list-authorizations.".to_owned()
            }
            Self::KeyReused { .. } => {
                "Choose another idempotency_key, or send what the key was first used with.".to_owned()
            }
            Self::NotKept(request) => format!(
                "Send the call of {} itself again, with the same input: what a person granted lets it through once.",
                request.primitive
            ),
            Self::Elsewhere { directory } => {
                format!("Send the same call from the folder {directory}.")
            }
            Self::UnderWay { .. } => {
                "Send the same call again: it gets the answer of the one that is under way.".to_owned()
            }
            Self::Below(inner) => inner.remediation(),
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Required(request)
            | Self::Rejected(request)
            | Self::Closed(request)
            | Self::Outdated(request)
            | Self::NotKept(request) => of_request(request),
            Self::Unverified { reason, found } => {
                details::Approver::new(*reason, found.as_str()).into()
            }
            Self::RequestUnknown { request_id } => {
                details::Unknown::new("request", request_id.to_string()).into()
            }
            Self::AuthorizationUnknown { authorization_id } => {
                details::Unknown::new("authorization", authorization_id.to_string()).into()
            }
            Self::KeyReused { key } => {
                details::Key::new(key.as_str(), "grant-authorization").into()
            }
            Self::Elsewhere { directory } => details::File::new(
                directory.as_str(),
                "the refused call was sent from this folder",
            )
            .into(),
            Self::UnderWay { waited } => details::Wait::new(
                u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
                "the very same call, which is under way",
            )
            .into(),
            Self::Below(inner) => inner.details(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Below(inner) => inner.retry(),
            Self::Required(_)
            | Self::Rejected(_)
            | Self::Unverified { .. }
            | Self::RequestUnknown { .. }
            | Self::Closed(_)
            | Self::Outdated(_)
            | Self::AuthorizationUnknown { .. }
            | Self::KeyReused { .. }
            | Self::NotKept(_)
            | Self::Elsewhere { .. }
            | Self::UnderWay { .. } => self.code().retry(),
        }
    }

    fn next(&self) -> Vec<Next> {
        match self {
            Self::Required(request) => vec![
                Next::new(
                    "list-waiting",
                    json!({}),
                    "see what waits for a person, this call among it",
                ),
                Next::new(
                    "resume-call",
                    json!({"request_id": request.request_id}),
                    "run the refused call, once a person has let it through",
                ),
            ],
            Self::RequestUnknown { .. } | Self::Closed(_) | Self::Outdated(_) => vec![Next::new(
                "list-waiting",
                json!({}),
                "see what waits for a person",
            )],
            Self::AuthorizationUnknown { .. } => vec![Next::new(
                "list-authorizations",
                json!({}),
                "see what was granted",
            )],
            Self::Rejected(_)
            | Self::Unverified { .. }
            | Self::KeyReused { .. }
            | Self::NotKept(_)
            | Self::Elsewhere { .. }
            | Self::UnderWay { .. } => Vec::new(),
            Self::Below(inner) => inner.next(),
        }
    }
}
