//! `list-jobs`: the jobs that are known here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::JobView;
use crate::{
    contract::{Answer, Code, Cursor, Effects, Failure, Name, Pager, Reach},
    domain::{
        job::{self, Filter},
        run::State,
    },
    primitives::Primitive,
    system::Context,
};

/// Lists jobs, newest first, as they were last seen; no host is asked.
///
/// The answer is bounded; `next_cursor` continues it. Its cost does not grow with the number of jobs.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Only those that have not ended (true), or that have (false).
    #[serde(default)]
    pub(crate) active: Option<bool>,
    /// Only those in one of these states.
    #[serde(default)]
    pub(crate) states: Vec<State>,
    /// Only those on this host.
    #[serde(default)]
    pub(crate) host: Option<Name>,
    /// Only those on this repository.
    #[serde(default)]
    pub(crate) repository: Option<Name>,
    /// Only those of this agent.
    #[serde(default)]
    pub(crate) agent: Option<Name>,
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

/// The jobs.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The jobs, newest first.
    pub(crate) jobs: Vec<JobView>,
    /// What to send as `cursor` for the next part; null where this is the last.
    pub(crate) next_cursor: Option<Cursor>,
}

/// Carries the declaration of `list-jobs`.
pub(crate) struct ListJobs;

impl Primitive for ListJobs {
    const NAME: &'static str = "list-jobs";
    const SUMMARY: &'static str = "List the jobs that are known here";
    const EFFECTS: Effects = Effects::READS;
    const CODES: &'static [Code] = &[Code::CursorInvalid];
    const REACHES: &'static [(&'static str, Reach)] =
        &[("cursor", Reach::Data), ("active", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            active: Some(true),
            states: Vec::new(),
            host: None,
            repository: None,
            agent: None,
            limit: limit(),
            cursor: None,
        }]
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let pager = Pager::new(
            Self::NAME,
            &json!([
                input.active,
                input.states,
                input.host,
                input.repository,
                input.agent
            ]),
        );
        let before = input
            .cursor
            .map(|cursor| pager.position(&cursor))
            .transpose()?;
        let filter = Filter {
            active: input.active,
            states: input.states,
            host: input.host,
            repository: input.repository,
            agent: input.agent,
            before,
            limit: input.limit,
        };
        let found = job::list(context, &filter)?;
        let warnings = found.warnings();
        let mut answer = Answer::read(Output {
            next_cursor: found
                .last_number()
                .filter(|_| found.more)
                .map(|number| pager.cursor(&number)),
            jobs: found.read.into_iter().map(JobView::from).collect(),
        });
        answer.warnings.extend(warnings);
        Ok(answer)
    }
}
