//! `set-gpu-pool`: say which GPUs of a host may be handed out.

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

/// Sets which GPUs of a host may be handed out, to how many a lease, and how much of their memory must be free. It holds
/// for everybody who reserves GPUs there. Leases that are there stay as they are.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The host; the default host where none is given.
    #[serde(default)]
    pub(crate) host: Option<Name>,
    /// Those that may be handed out, by permanent id; all where none are named.
    #[serde(default)]
    #[schemars(length(max = 256), inner(length(min = 1, max = 100)))]
    pub(crate) gpus: Option<Vec<String>>,
    /// The most that one lease may hold; no bound where none is given.
    #[serde(default)]
    #[schemars(range(min = 1, max = 64))]
    pub(crate) max_per_lease: Option<u32>,
    /// The memory of a GPU that must be free before it is handed out, in bytes.
    #[serde(default)]
    pub(crate) min_free_bytes: u64,
    /// Whether only to report whether it would change anything.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Seconds the call may take.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<60, 86_400>,
}

/// What holds from now on.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The host.
    pub(crate) host: Name,
    /// What may be handed out.
    pub(crate) pool: gpu::Pool,
}

/// Carries the declaration of `set-gpu-pool`.
pub(crate) struct SetGpuPool;

impl Primitive for SetGpuPool {
    const NAME: &'static str = "set-gpu-pool";
    const SUMMARY: &'static str = "Say which GPUs of a host may be handed out";
    const EFFECTS: Effects = Effects::ENSURES_REMOTE;
    const CODES: &'static [Code] = &[Code::GpusUnusable, Code::GpuLocksUnusable];
    const NEEDS_HOST: bool = true;
    const REACHES: &'static [(&'static str, Reach)] =
        &[("host", Reach::Host), ("gpus", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            host: Some(Name::fixed("lab")),
            gpus: None,
            max_per_lease: Some(2),
            min_free_bytes: 0,
            dry_run: false,
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let machine = host::resolve(context, input.host.as_ref())?;
        let mut gpus = input.gpus;
        if let Some(gpus) = &mut gpus {
            gpus.sort_unstable();
            gpus.dedup();
        }
        let pool = gpu::Pool {
            gpus,
            max_per_lease: input.max_per_lease,
            min_free_bytes: input.min_free_bytes,
        };
        let effect = gpu::set_pool(context, &machine, &pool, input.dry_run).await?;
        let next = Next::new(
            "list-gpus",
            json!({"host": machine.name}),
            "see what can be handed out now",
        );
        Ok(Answer::new(
            effect,
            Output {
                host: machine.name,
                pool,
            },
        )
        .with_next(next))
    }
}
