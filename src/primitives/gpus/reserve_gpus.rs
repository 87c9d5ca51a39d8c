//! `reserve-gpus`: hold GPUs of a host, all that are asked for or none.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contract::{Answer, Code, Effects, Failure, Name, Next, Reach, Timeout},
    domain::{gpu, host},
    primitives::Primitive,
    system::Context,
};

/// Holds GPUs of a host for a time, all that are asked for or none. Nobody else is given them meanwhile, whoever asks and
/// from wherever, and those that strangers use are left alone.
///
/// The same `lease_id` again renews the lease and answers with the same GPUs. A lease ends with its time, with the
/// process named in `holder_pid` (within a second, however that ends), or with `release-gpus`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The id of the lease, which the caller chooses.
    pub(crate) lease_id: Name,
    /// The host; the default host where none is given.
    #[serde(default)]
    pub(crate) host: Option<Name>,
    /// How many GPUs, or instances of GPUs that are cut up.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 64))]
    pub(crate) count: u32,
    /// The memory that must be free on each, in bytes.
    #[serde(default)]
    pub(crate) min_free_bytes: u64,
    /// Seconds the lease lasts unless it is renewed.
    #[serde(default = "an_hour")]
    #[schemars(range(min = 1, max = 604_800))]
    pub(crate) ttl_s: u32,
    /// A process of the host with which the lease ends too.
    #[serde(default)]
    #[schemars(range(min = 2, max = 4_194_304))]
    pub(crate) holder_pid: Option<u32>,
    /// Who asks, for others to read in `list-gpus`; nothing is made of it.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub(crate) owner: Option<String>,
    /// Seconds to wait until so many are free.
    #[serde(default)]
    #[schemars(range(max = 3_600))]
    pub(crate) wait_s: u32,
    /// Whether only to report what it would get.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Seconds the call may take, the wait included.
    #[serde(default)]
    pub(crate) timeout_s: Timeout<120, 86_400>,
}

const fn one() -> u32 {
    1
}

const fn an_hour() -> u32 {
    3_600
}

/// What is held.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The id of the lease.
    pub(crate) lease_id: Name,
    /// The host.
    pub(crate) host: Name,
    /// The GPUs, by permanent id.
    pub(crate) gpus: Vec<String>,
    /// Their numbers at present, for programs that take nothing else.
    pub(crate) indexes: Vec<u32>,
    /// What to set for a program that is to see these GPUs and no others.
    pub(crate) environment: BTreeMap<String, String>,
    /// Seconds that are left to it; a renewal within the first tenth of its time changes nothing.
    pub(crate) left_s: u32,
}

/// Carries the declaration of `reserve-gpus`.
pub(crate) struct ReserveGpus;

impl Primitive for ReserveGpus {
    const NAME: &'static str = "reserve-gpus";
    const SUMMARY: &'static str = "Hold GPUs of a host, all or none";
    const EFFECTS: Effects = Effects::ENSURES_REMOTE;
    const CODES: &'static [Code] = &[
        Code::GpusUnusable,
        Code::GpusTaken,
        Code::GpuLocksUnusable,
        Code::IdempotencyKeyReused,
    ];
    const NEEDS_HOST: bool = true;
    const REACHES: &'static [(&'static str, Reach)] =
        &[("host", Reach::Host), ("owner", Reach::Data)];
    type Input = Input;
    type Output = Output;

    fn examples() -> Vec<Input> {
        vec![Input {
            lease_id: Name::fixed("train-42"),
            host: Some(Name::fixed("lab")),
            count: 2,
            min_free_bytes: 0,
            ttl_s: an_hour(),
            holder_pid: None,
            owner: Some("the training of Monday".to_owned()),
            wait_s: 0,
            dry_run: false,
            timeout_s: Timeout::default(),
        }]
    }

    fn limit(input: &Input) -> Option<Duration> {
        Some(input.timeout_s.duration())
    }

    async fn run(context: &Context, input: Input) -> Result<Answer<Output>, Failure> {
        let machine = host::resolve(context, input.host.as_ref())?;
        let request = gpu::Request {
            lease_id: input.lease_id.clone(),
            count: input.count,
            min_free_bytes: input.min_free_bytes,
            ttl_s: input.ttl_s,
            holder_pid: input.holder_pid,
            owner: input.owner.unwrap_or_default(),
            wait_s: input.wait_s,
            dry_run: input.dry_run,
        };
        let reserved = gpu::reserve(context, &machine, &request).await?;
        let environment =
            BTreeMap::from([("CUDA_VISIBLE_DEVICES".to_owned(), reserved.gpus.join(","))]);
        let answer = Answer::new(
            reserved.effect,
            Output {
                lease_id: input.lease_id.clone(),
                host: machine.name.clone(),
                gpus: reserved.gpus,
                indexes: reserved.indexes,
                environment,
                left_s: reserved.left_s,
            },
        );
        Ok(if input.dry_run {
            answer
        } else {
            answer.with_next(Next::new(
                "release-gpus",
                json!({"host": machine.name, "lease_id": input.lease_id}),
                "give them back before their time",
            ))
        })
    }
}
