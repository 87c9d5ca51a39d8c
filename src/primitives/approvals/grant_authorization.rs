//! `grant-authorization`: let a call through, or calls of a scope.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{AuthorizationView, RequestView};
use crate::{
    contract::{
        Answer, Code, Effects, Failure, Name, Next, Reach, Scope, Scoped, Violation, Violations,
    },
    domain::authorization::{self, Terms},
    primitives::Primitive,
    system::Context,
};

/// Lets one refused call through, once, or so many calls of a scope for some time. For a person alone.
///
/// The person shows to be one at the terminal, where what is granted is shown and a word has to be typed, or by the key
/// (`[authorization]` of the configuration). Prefer `request_id`: it names one call with all of its input. A grant of a
/// scope lets any caller on this machine do anything that the scope covers, so often.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The request to let through, as `list-waiting` and the refused call name it.
    #[serde(default)]
    pub(crate) request_id: Option<Name>,
    /// The scope whose calls to let through.
    #[serde(default)]
    pub(crate) scope: Option<Scope>,
    /// With `scope`: the only primitive whose calls to let through; any where none is named.
    #[serde(default)]
    pub(crate) primitive: Option<Name>,
    /// With `scope`: how many calls to let through; one where nothing is said.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) uses: Option<u32>,
    /// Seconds for which it holds: an hour for a scope and a day for a request where nothing is said.
    #[serde(default)]
    #[schemars(range(min = 1, max = 2_592_000))]
    pub(crate) expires_in_s: Option<u32>,
    /// Why, for those who read the audit log.
    #[serde(default)]
    #[schemars(length(min = 1, max = 1000))]
    pub(crate) note: Option<String>,
    /// With `scope`: a key of your own for this grant. Where none is given the same grant again, while it holds, is a replay.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub(crate) idempotency_key: Option<String>,
    /// Whether only to report what would be granted.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What was granted.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The authorization; null in a dry run that would have made one.
    pub(crate) authorization: Option<AuthorizationView>,
    /// The request that it lets through; null where it is for a scope.
    pub(crate) request: Option<RequestView>,
}

/// Carries the declaration of `grant-authorization`.
pub(crate) struct GrantAuthorization;

/// How long a grant of a scope holds where nothing is said.
const SCOPE_S: u32 = 3600;

/// How long a grant of a request holds where nothing is said.
const REQUEST_S: u32 = 86_400;

impl Primitive for GrantAuthorization {
    const NAME: &'static str = "grant-authorization";
    const SUMMARY: &'static str = "Let a refused call through, or calls of a scope";
    const EFFECTS: Effects = Effects::ENSURES;
    const CODES: &'static [Code] = &[
        Code::RequestUnknown,
        Code::RequestClosed,
        Code::ApproverUnverified,
        Code::IdempotencyKeyReused,
    ];
    const REACHES: &'static [(&'static str, Reach)] =
        &[("note", Reach::Data), ("idempotency_key", Reach::Data)];
    // It is the leave.
    const SCOPES: &'static [Scoped] = Scope::NONE;
    const NEEDS_PERSON: bool = true;
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let nothing = || Input {
            request_id: None,
            scope: None,
            primitive: None,
            uses: None,
            expires_in_s: None,
            note: None,
            idempotency_key: None,
            dry_run: false,
        };
        vec![
            Input {
                request_id: Some(Name::fixed("req-0123456789abcdef")),
                ..nothing()
            },
            Input {
                scope: Some(Scope::Destructive),
                primitive: Some(Name::fixed("install-assets")),
                uses: Some(3),
                expires_in_s: Some(1800),
                note: Some("Bring the commands up to date.".to_owned()),
                ..nothing()
            },
        ]
    }

    fn check(input: &Input) -> Violations {
        let mut found = Vec::new();
        match (&input.request_id, input.scope) {
            (None, None) => found.push(Violation::new(
                "/request_id",
                "oneOf",
                "either a request or a scope has to be named",
            )),
            (Some(_), Some(_)) => found.push(Violation::new(
                "/scope",
                "oneOf",
                "a request is granted alone: leave out `scope`, or `request_id`",
            )),
            (Some(_), None) => {
                for (field, is_given) in [
                    ("/primitive", input.primitive.is_some()),
                    ("/uses", input.uses.is_some()),
                    ("/idempotency_key", input.idempotency_key.is_some()),
                ] {
                    if is_given {
                        let message = "it belongs to `scope`; a request is let through once";
                        found.push(Violation::new(field, "oneOf", message));
                    }
                }
            }
            (None, Some(_)) => {}
        }
        found.into_iter().collect()
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        if let Some(id) = &input.request_id {
            let expires_in_s = input.expires_in_s.unwrap_or(REQUEST_S);
            let note = input.note.as_deref();
            let decided =
                authorization::approve(context, id, expires_in_s, note, input.dry_run).await?;
            let output = Output {
                request: Some((&decided.request).into()),
                authorization: decided.authorization.map(Into::into),
            };
            return Ok(Answer::new(decided.effect, output).with_next(Next::new(
                "resume-call",
                json!({"request_id": id}),
                "run the call that was let through",
            )));
        }
        let terms = Terms {
            scope: input.scope.unwrap_or(Scope::LocalWrite),
            primitive: input.primitive,
            uses: input.uses.unwrap_or(1),
            expires_in_s: input.expires_in_s.unwrap_or(SCOPE_S),
            note: input.note,
            idempotency_key: input.idempotency_key,
        };
        let granted = authorization::grant_scope(context, &terms, input.dry_run).await?;
        let output = Output {
            authorization: granted.authorization.map(Into::into),
            request: None,
        };
        Ok(Answer::new(granted.effect, output))
    }
}
