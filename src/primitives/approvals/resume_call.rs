//! `resume-call`: run a refused call that a person let through.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RequestView;
use crate::{
    contract::{Answer, Code, Effect, Effects, Failure, Name, Scope, Scoped, Timeout},
    domain::authorization::{self, Outcome},
    primitives::Primitive,
    system::Context,
};

/// Runs the call that was refused, unchanged and once, where a person has let it through, and answers with what came of it.
///
/// It takes no input for the call: what runs is what was refused, and what the person saw. Any number of these at once run it
/// once, and all of them answer with its end; sent again later, it answers with the same end as a replay. Where the call
/// itself fails, that is data here: `outcome.succeeded` is false, and while the grant lasts the next `resume-call` tries it again.
/// Sending the refused call itself again does the same as long as it has not run.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The request, as the refused call named it.
    pub(crate) request_id: Name,
    /// Seconds for the whole, in which the call runs or the end of one that is under way is waited for.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<600, 86_400>,
    /// Whether only to report how the request stands.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// The request, and what came of its call.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The request.
    pub(crate) request: RequestView,
    /// What came of the call; null in a dry run before it has run.
    pub(crate) outcome: Option<Outcome>,
}

/// Carries the declaration of `resume-call`.
pub(crate) struct ResumeCall;

impl Primitive for ResumeCall {
    const NAME: &'static str = "resume-call";
    const SUMMARY: &'static str = "Run a refused call that a person has let through";
    // What it may do is what any call may.
    const EFFECTS: Effects = Effects::REMOVES_REMOTE;
    const CODES: &'static [Code] = &[
        Code::RequestUnknown,
        Code::RequestClosed,
        Code::CallNotKept,
        Code::CallElsewhere,
    ];
    // The call that it stands for was held against its own.
    const SCOPES: &'static [Scoped] = Scope::NONE;
    const RESUMES: bool = true;
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            request_id: Name::fixed("req-a0b1c2d3e4f56789"),
            timeout_s: Timeout::default(),
            dry_run: false,
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    /// Answers with what is recorded. The call itself has run by then: that is for the one door to let through.
    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let request = authorization::find_request(context, &input.request_id)?;
        let output = Output {
            request: (&request).into(),
            outcome: request.outcome,
        };
        let mut answer = Answer::new(Effect::Replayed, output);
        if input.dry_run {
            answer.effect = Effect::None;
        }
        if let Some(outcome) = &answer.data.outcome {
            answer.next.clone_from(&outcome.next);
        }
        Ok(answer)
    }
}
