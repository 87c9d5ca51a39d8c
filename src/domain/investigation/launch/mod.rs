//! Launching: one agent for one request, whatever process is killed and when.
//!
//! The problem: a launch changes two machines, and any process of it may die at any instruction. Nothing may be started
//! twice, and nothing started may be forgotten. The answer, step by step:
//!
//! 1. `plan` fills in configuration and defaults. The canonical form of the result (`identity`) is the idempotency
//!    key, and the job id is derived from the key: the same request is the same job on every machine.
//! 2. `prepare` makes everything that is sent: prompt, issue, secrets, command line.
//! 3. `submit` takes a lock for the job, records the job, has its runner start it in one round trip, and records the
//!    answer. The job's folder on the host holds the digest of the key and the claim of the run, so that a call whose
//!    answer was lost finds there what it started.
//! 4. A launch that its host refused, or that was certainly never sent, leaves no record: there is no job.

mod identity;
mod plan;
mod prepare;
mod refusal;
mod request;
mod start;
mod submit;

pub(crate) use request::Request;
pub(crate) use submit::launch;
