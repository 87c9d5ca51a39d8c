//! `probe-host`: what a machine is and has.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Next, Reach, Timeout},
    domain::{agent, host},
    primitives::Primitive,
    system::Context,
};

/// Looks at a machine and reports what it has: processors, memory, disk, shell, programs and agents with their versions,
/// GPUs, batch scheduler. One command is sent, and nothing is changed there.
///
/// Use it to choose a host, or to understand a failure there; use `preflight` to find out whether a launch would work.
/// What could not be found out is null, never zero.
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

/// Carries the declaration of `probe-host`.
pub(crate) struct ProbeHost;

impl Primitive for ProbeHost {
    const NAME: &'static str = "probe-host";
    const SUMMARY: &'static str = "Report what a machine has";
    const EFFECTS: Effects = Effects::READS_REMOTE;
    const CODES: &'static [Code] = &[];
    const NEEDS_HOST: bool = true;
    const REACHES: &'static [(&'static str, Reach)] = &[("host", Reach::Host)];
    type Input = Input;
    type Output = host::Probe;

    fn examples() -> Vec<Input> {
        vec![Input {
            host: Some(Name::fixed("gpu-box")),
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<host::Probe>, Failure> {
        let machine = host::resolve(context, input.host.as_ref())?;
        let _progress = context.progress(&format!("looking at what {} has", machine.name));
        let probe = host::probe(context, &machine, &agent::programs()).await?;
        let next = Next::new(
            "preflight",
            json!({"host": machine.name}),
            "find out whether a launch there would work",
        );
        Ok(Answer::read(probe).with_next(next))
    }
}
