//! `list-hooks`: hooks, and what was delivered to them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::HookView;
use crate::{
    contract::{Answer, Code, Cursor, Effects, Failure, Name, Pager, Reach},
    domain::hook,
    primitives::Primitive,
    system::Context,
};

/// Lists hooks by name, each with its newest deliveries and what came of them: exit code or status, and what was said. Of each hook the
/// fifty that ended last are kept.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Only this one.
    #[serde(default)]
    pub(crate) name: Option<Name>,
    /// How many deliveries are shown of each.
    #[serde(default = "deliveries")]
    #[schemars(range(min = 0, max = 100))]
    pub(crate) deliveries: u32,
    /// At most so many.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 50))]
    pub(crate) limit: u32,
    /// Where to go on: `next_cursor` of the answer before.
    #[serde(default)]
    pub(crate) cursor: Option<Cursor>,
}

const fn deliveries() -> u32 {
    5
}

const fn limit() -> u32 {
    50
}

/// The hooks.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The hooks.
    pub(crate) hooks: Vec<HookView>,
    /// What to send as `cursor` for more; null where there are no more.
    pub(crate) next_cursor: Option<Cursor>,
}

/// Carries the declaration of `list-hooks`.
pub(crate) struct ListHooks;

impl Primitive for ListHooks {
    const NAME: &'static str = "list-hooks";
    const SUMMARY: &'static str = "List hooks, and what was delivered to them";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::HookNotFound, Code::CursorInvalid];
    const REACHES: &'static [(&'static str, Reach)] = &[("cursor", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let all = || Input {
            name: None,
            deliveries: deliveries(),
            limit: limit(),
            cursor: None,
        };
        vec![
            all(),
            Input {
                name: Some(Name::fixed("notify")),
                deliveries: 50,
                ..all()
            },
        ]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let pager = Pager::new(Self::NAME, &json!([input.name]));
        let after: Option<String> = match &input.cursor {
            Some(cursor) => Some(pager.position(cursor)?),
            None => None,
        };
        let shown = (input.limit, input.deliveries);
        let (hooks, damaged, more) =
            hook::list(context, input.name.as_ref(), after.as_deref(), shown)?;
        let last = hooks.last().map(|one| one.hook.name.to_string());
        let mut answer = Answer::read(Output {
            next_cursor: last.filter(|_| more).map(|name| pager.cursor(&name)),
            hooks: hooks.into_iter().map(Into::into).collect(),
        });
        answer
            .warnings
            .extend(damaged.iter().map(ToString::to_string));
        Ok(answer)
    }
}
