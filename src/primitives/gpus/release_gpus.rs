//! `release-gpus`: give GPUs back.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Reach, Timeout},
    domain::{gpu, host},
    primitives::Primitive,
    system::Context,
};

/// Ends a lease of GPUs, and answers once nothing of it holds them any more. What computes on them is not ended.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The id of the lease.
    pub(crate) lease_id: Name,
    /// The host; the default host where none is given.
    #[serde(default)]
    pub(crate) host: Option<Name>,
    /// Whether only to report what would be given back.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<60, 86_400>,
}

/// What is free again.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The id of the lease.
    pub(crate) lease_id: Name,
    /// The host.
    pub(crate) host: Name,
    /// The GPUs that it held, by permanent id; none where there was no such lease.
    pub(crate) gpus: Vec<String>,
}

/// Carries the declaration of `release-gpus`.
pub(crate) struct ReleaseGpus;

impl Primitive for ReleaseGpus {
    const NAME: &'static str = "release-gpus";
    const SUMMARY: &'static str = "Give GPUs of a host back";
    const EFFECTS: Effects = Effects::ENSURES_REMOTE;
    const CODES: &'static [Code] = &[Code::GpuLocksUnusable];
    const NEEDS_HOST: bool = true;
    const REACHES: &'static [(&'static str, Reach)] = &[("host", Reach::Host)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            lease_id: Name::fixed("train-41"),
            host: Some(Name::fixed("lab")),
            dry_run: false,
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let machine = host::resolve(context, input.host.as_ref())?;
        let (gpus, effect) =
            gpu::release(context, &machine, &input.lease_id, input.dry_run).await?;
        Ok(Answer::new(
            effect,
            Output {
                lease_id: input.lease_id,
                host: machine.name,
                gpus,
            },
        ))
    }
}
