//! `extract-repro`: the code in an issue that may show the bug.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure, Reach, Timeout, Violations},
    domain::issue::{self, Candidate, IssueRef, Trust},
    primitives::Primitive,
    system::Context,
};

/// Lists the blocks of code in an issue or a Markdown text, the likeliest to show the bug first, each with its reasons.
///
/// Give `issue` or `text`. Nothing is run. Strangers wrote the code: read it before running it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The issue: `owner/name#12`, the URL of its page, or a Markdown or JSON file on this machine.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096), extend("format" = "path"))]
    pub(crate) issue: Option<String>,
    /// A Markdown text, instead of an issue.
    #[serde(default)]
    #[schemars(length(max = 1_048_576))]
    pub(crate) text: Option<String>,
    /// Words that make a block likelier, such as the name a package is imported by.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub(crate) hints: Vec<String>,
    /// The most candidates to return.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 50))]
    pub(crate) limit: usize,
    /// Seconds for which a cached answer is used without asking the forge; 0 always asks.
    #[serde(default = "max_age_s")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub(crate) max_age_s: u64,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<60, 3600>,
}

const fn limit() -> usize {
    10
}

const fn max_age_s() -> u64 {
    300
}

/// Code that may show the bug.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// Blocks of code, the likeliest first.
    pub(crate) candidates: Vec<Candidate>,
    /// How many candidates there are, including those not returned.
    pub(crate) total: usize,
    /// How far the code may be trusted: not at all.
    pub(crate) trust: Trust,
}

/// Carries the declaration of `extract-repro`.
pub(crate) struct ExtractRepro;

impl Primitive for ExtractRepro {
    const NAME: &'static str = "extract-repro";
    const SUMMARY: &'static str = "Find the code in an issue that may show the bug";
    const EFFECTS: Effects = Effects::READS_REMOTE;
    const CODES: &'static [Code] = &[
        Code::IssueNotFound,
        Code::IssueInvalid,
        Code::ForgeUnauthenticated,
        Code::ForgeForbidden,
        Code::ForgeRateLimited,
        Code::ForgeUnavailable,
        Code::ForgeUnknown,
    ];
    const REACHES: &'static [(&'static str, Reach)] = &[
        ("issue", Reach::Issue),
        ("text", Reach::Data),
        ("hints", Reach::Data),
    ];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        let example = |issue: Option<&str>, text: Option<&str>| Input {
            issue: issue.map(str::to_owned),
            text: text.map(str::to_owned),
            hints: vec!["widgets".to_owned()],
            limit: limit(),
            max_age_s: max_age_s(),
            timeout_s: Timeout::default(),
        };
        vec![
            example(
                None,
                Some(
                    "It fails:\n\n```python\nimport widgets\nassert widgets.total([]) == 0\n```\n",
                ),
            ),
            example(Some("acme/widgets#12"), None),
        ]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    fn check(input: &Input) -> Violations {
        match (&input.issue, &input.text) {
            (Some(reference), None) => Violations::found_by(IssueRef::parse(reference)),
            (None, Some(_)) => Violations::default(),
            (None, None) | (Some(_), Some(_)) => {
                Violations::found_by::<(), _>(Err(issue::Error::Unspecified))
            }
        }
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let issue = match (&input.issue, &input.text) {
            (Some(reference), None) => issue::fetch(context, reference, input.max_age_s).await?,
            (None, Some(text)) => issue::read_text(text),
            (None, None) | (Some(_), Some(_)) => return Err(issue::Error::Unspecified.into()),
        };
        let mut candidates = issue::extract_repro(&issue, &input.hints);
        let total = candidates.len();
        candidates.truncate(input.limit);
        Ok(Answer::read(Output {
            candidates,
            total,
            trust: Trust::Untrusted,
        }))
    }
}
