//! `list-gpus`: what GPUs a host has, and who holds them.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Next, Reach, Timeout},
    domain::{gpu, host},
    primitives::Primitive,
    system::Context,
};

/// Lists the GPUs of a host by their permanent ids, with their memory and use, the leases that hold them, and why each
/// that is not free is not handed out.
///
/// A GPU that is cut up (MIG) is listed as its instances. Nothing is changed there. What could not be found out is null.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The host; the default host where none is given.
    #[serde(default)]
    pub(crate) host: Option<Name>,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<60, 86_400>,
}

/// The GPUs of a host.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The host.
    pub(crate) host: Name,
    /// What it has, and who holds it.
    pub(crate) survey: gpu::Survey,
    /// How many can be handed out now.
    pub(crate) free: usize,
}

/// Carries the declaration of `list-gpus`.
pub(crate) struct ListGpus;

impl Primitive for ListGpus {
    const NAME: &'static str = "list-gpus";
    const SUMMARY: &'static str = "List the GPUs of a host and who holds them";
    const EFFECTS: Effects = Effects::READS_REMOTE;
    const CODES: &'static [Code] = &[];
    const NEEDS_HOST: bool = true;
    const REACHES: &'static [(&'static str, Reach)] = &[("host", Reach::Host)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            host: Some(Name::fixed("lab")),
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let machine = host::resolve(context, input.host.as_ref())?;
        let survey = gpu::survey(context, &machine).await?;
        let free = survey
            .gpus
            .iter()
            .filter(|gpu| gpu.obstacle.is_none())
            .count();
        let warning = survey
            .locks_unusable
            .as_ref()
            .map(|reason| format!("no GPU can be reserved there: {reason}"));
        let host = machine.name.clone();
        let mut answer = Answer::read(Output {
            host: machine.name,
            survey,
            free,
        });
        if let Some(warning) = warning {
            answer = answer.with_warning(warning);
        }
        Ok(if free == 0 {
            answer
        } else {
            answer.with_next(Next::new(
                "reserve-gpus",
                json!({"host": host, "lease_id": "my-run", "count": 1}),
                "hold one for an hour",
            ))
        })
    }
}
