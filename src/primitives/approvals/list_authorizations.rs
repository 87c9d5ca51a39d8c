//! `list-authorizations`: what was granted, and what needs to be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::AuthorizationView;
use crate::{
    contract::{Answer, Code, Cursor, Effects, Failure, Next, Pager, Reach, Scope},
    domain::authorization,
    primitives::Primitive,
    system::Context,
};

/// Lists what was granted, newest first; which scopes there are, which of them need a grant here, and which primitives are in
/// them; and the first requests that wait.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Only those that are neither used up nor revoked (true), or that are (false).
    #[serde(default)]
    pub(crate) live: Option<bool>,
    /// How many to list.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 500))]
    pub(crate) limit: u32,
    /// Where to go on: `next_cursor` of the answer before, with the same filters.
    #[serde(default)]
    pub(crate) cursor: Option<Cursor>,
}

const fn limit() -> u32 {
    50
}

/// Requests that are named beside what was granted; `list-waiting` has them all.
const NAMED: u32 = 20;

/// What was granted, and what needs to be.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// What was granted, newest first.
    pub(crate) authorizations: Vec<AuthorizationView>,
    /// What to send as `cursor` for the next part; null where this is the last.
    pub(crate) next_cursor: Option<Cursor>,
    /// All scopes.
    pub(crate) scopes: Vec<ScopePolicy>,
    /// Whether a person can grant by a key, besides at a terminal.
    pub(crate) has_key: bool,
    /// The ids of the requests that wait, oldest first, at most 20; `list-waiting` has them all.
    pub(crate) pending: Vec<String>,
}

/// A scope, and what the configuration says of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ScopePolicy {
    /// The scope.
    pub(crate) scope: Scope,
    /// Whether its calls need a grant here.
    pub(crate) needs_grant: bool,
    /// The primitives whose calls are in it.
    pub(crate) primitives: Vec<ScopedPrimitive>,
}

/// A primitive whose calls are in a scope.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ScopedPrimitive {
    /// The primitive.
    pub(crate) primitive: String,
    /// The field that has to be given for a call to be in the scope; null where every call is.
    pub(crate) where_given: Option<String>,
}

/// Carries the declaration of `list-authorizations`.
pub(crate) struct ListAuthorizations;

impl Primitive for ListAuthorizations {
    const NAME: &'static str = "list-authorizations";
    const SUMMARY: &'static str = "List what was granted, and what needs a grant";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::CursorInvalid];
    const REACHES: &'static [(&'static str, Reach)] =
        &[("cursor", Reach::Data), ("live", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            live: Some(true),
            limit: limit(),
            cursor: None,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let pager = Pager::new(Self::NAME, &json!([input.live]));
        let before = input
            .cursor
            .map(|cursor| pager.position(&cursor))
            .transpose()?;
        let found = authorization::list_authorizations(context, input.live, before, input.limit)?;
        let waiting = authorization::waiting(context, None, NAMED)?;
        let has_more = waiting.more;
        let warnings = [found.warnings(), waiting.warnings()].concat();
        let required = context.configuration()?.authorization.required();
        let known = context.descriptions();
        let policy = |scope: Scope| ScopePolicy {
            scope,
            needs_grant: required.contains(&scope),
            primitives: known
                .iter()
                .flat_map(|about| {
                    let own = about.scopes.iter().filter(move |one| one.scope == scope);
                    own.map(|one| ScopedPrimitive {
                        primitive: about.name.to_owned(),
                        where_given: one.where_given.map(str::to_owned),
                    })
                })
                .collect(),
        };
        let mut answer = Answer::read(Output {
            next_cursor: found
                .last_number()
                .filter(|_| found.more)
                .map(|number| pager.cursor(&number)),
            authorizations: found.read.into_iter().map(Into::into).collect(),
            scopes: Scope::ALL.iter().copied().map(policy).collect(),
            has_key: authorization::has_key(context)?,
            pending: waiting
                .read
                .iter()
                .map(|request| request.request_id.to_string())
                .collect(),
        });
        answer.warnings.extend(warnings);
        if has_more {
            answer = answer.with_next(Next::new(
                "list-waiting",
                json!({}),
                "see all that waits for a person",
            ));
        }
        Ok(answer)
    }
}
