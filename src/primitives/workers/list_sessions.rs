//! `list-sessions`: the sessions of workers, past and present.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::SessionView;
use crate::{
    contract::{Answer, Code, Cursor, Effects, Failure, Name, Pager, Reach},
    domain::worker,
    primitives::Primitive,
    system::Context,
};

/// Lists the sessions of workers, the newest first: one for each process, from its start to its end, with what became of its tasks. A
/// thousand that have ended are kept.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Only those of this worker.
    #[serde(default)]
    pub(crate) name: Option<Name>,
    /// At most so many.
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

/// The sessions.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The sessions.
    pub(crate) sessions: Vec<SessionView>,
    /// What to send as `cursor` for more; null where there are no more.
    pub(crate) next_cursor: Option<Cursor>,
}

/// Carries the declaration of `list-sessions`.
pub(crate) struct ListSessions;

impl Primitive for ListSessions {
    const NAME: &'static str = "list-sessions";
    const SUMMARY: &'static str = "List the sessions of workers";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::CursorInvalid];
    const REACHES: &'static [(&'static str, Reach)] = &[("cursor", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            name: None,
            limit: limit(),
            cursor: None,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let pager = Pager::new(Self::NAME, &json!([input.name]));
        let before: Option<i64> = match &input.cursor {
            Some(cursor) => Some(pager.position(cursor)?),
            None => None,
        };
        let page = worker::sessions(context, input.name.as_ref(), before, input.limit)?;
        let warnings = page.warnings();
        let next = page.last_number().filter(|_| page.more);
        let mut answer = Answer::read(Output {
            next_cursor: next.map(|number| pager.cursor(&number)),
            sessions: page.read.into_iter().map(Into::into).collect(),
        });
        answer.warnings.extend(warnings);
        Ok(answer)
    }
}
