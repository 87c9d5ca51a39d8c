//! `list-waiting`: everything that waits for a person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    contract::{Answer, Code, Cursor, Effects, Failure, Pager, Reach, Scope},
    domain::waiting::{self, Place},
    primitives::Primitive,
    system::Context,
};

/// Lists everything that waits for a person, of whatever kind, in one list, the oldest of each kind first.
///
/// Each says by which command a person lets it through. A page may be shorter than `limit` and have a next one.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// How many to list.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 500))]
    pub(crate) limit: u32,
    /// Where to go on: `next_cursor` of the answer before.
    #[serde(default)]
    pub(crate) cursor: Option<Cursor>,
}

const fn limit() -> u32 {
    50
}

/// What waits.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// What waits, the oldest of each kind first.
    pub(crate) waiting: Vec<Waiting>,
    /// What to send as `cursor` for the next part; null where this is the last.
    pub(crate) next_cursor: Option<Cursor>,
}

/// Something that waits for a person.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Waiting {
    /// What it is: `authorization`, a call that needs leave; `task`, one of the queue that does not run before a person lets it; or `held_task`,
    /// one that depends on another that did not succeed, and that somebody lets run (`resume-task`) or ends (`cancel-task`).
    pub(crate) kind: String,
    /// Its id: of an `authorization` the `request_id`, of a `task` or `held_task` the `task_id`.
    pub(crate) id: String,
    /// The primitive that would run; null for a task.
    pub(crate) primitive: Option<String>,
    /// Its input, or what was asked of a task. Not to be trusted. Null where it holds a secret, and so was not kept, or where
    /// it takes more than 16384 bytes: the question at the terminal shows how it begins, and `show-task` all of a task.
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub(crate) input: Option<Value>,
    /// The folder that it was called from, where what it does depends on that.
    pub(crate) directory: Option<String>,
    /// The scopes for which leave is needed.
    pub(crate) scopes: Vec<Scope>,
    /// SHA-256 of the canonical JSON (RFC 8785) of `{"input": …, "primitive": …}`, as they were sent.
    pub(crate) arguments_sha256: Option<String>,
    /// Of a task the version that is shown here, to which `decide-approval` can be held; null for an `authorization`.
    pub(crate) version: Option<u64>,
    /// Since when it waits (RFC 3339, UTC).
    pub(crate) waiting_since: String,
    /// Until when it waits (RFC 3339, UTC); null where it has no end.
    pub(crate) expires_at: Option<String>,
    /// The command by which a person lets it through.
    pub(crate) command: String,
}

/// Carries the declaration of `list-waiting`.
pub(crate) struct ListWaiting;

impl Primitive for ListWaiting {
    const NAME: &'static str = "list-waiting";
    const SUMMARY: &'static str = "List everything that waits for a person";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::CursorInvalid];
    const REACHES: &'static [(&'static str, Reach)] = &[("cursor", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            limit: limit(),
            cursor: None,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let pager = Pager::new(Self::NAME, &json!([]));
        let from: Option<Place> = input
            .cursor
            .map(|cursor| pager.position(&cursor))
            .transpose()?;
        let listed = waiting::list(context, from.as_ref(), input.limit)?;
        let mut answer = Answer::read(Output {
            waiting: listed.waiting.into_iter().map(Waiting::from).collect(),
            next_cursor: listed.place.map(|place| pager.cursor(&place)),
        });
        answer.warnings.extend(listed.warnings);
        Ok(answer)
    }
}

impl From<waiting::Waiting> for Waiting {
    fn from(one: waiting::Waiting) -> Self {
        Self {
            kind: one.kind.to_owned(),
            id: one.id,
            primitive: one.primitive,
            input: one.input,
            directory: one.directory,
            scopes: one.scopes,
            arguments_sha256: one.arguments_sha256,
            version: one.version,
            waiting_since: one.waiting_since,
            expires_at: one.expires_at,
            command: one.command,
        }
    }
}
