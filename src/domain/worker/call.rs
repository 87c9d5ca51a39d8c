//! An attempt of a task that is a call of a primitive.
//!
//! The call goes through the same door as every call, with a key made of task and attempt, so that the same attempt carried out
//! again by another worker is a replay. A call whose primitive cannot promise that is never sent twice. A task that launches
//! an investigation is about the work and not about its start: it ends when its job has ended.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{
    caller::Caller,
    wish::{Wish, end_wished, ended_on_request, failed, spent},
};
use crate::{
    contract::{Code, Envelope},
    domain::task::{Ending, Spent, Task},
    system::{Context, clock},
};

/// The primitive whose task lasts as long as the job that it starts.
const LAUNCH: &str = "launch-investigation";

/// Bytes of an envelope that are kept as the result of a task; of a larger one its data is left out.
const MAX_BYTES: usize = 262_144;

/// Seconds that one call waits for the end of a job.
const WAIT_S: u64 = 600;

/// The pause after a look at a job whose host is silent.
const SILENCE: Duration = Duration::from_secs(15);

/// The pause after a call that waits for a person.
const UNDECIDED: Duration = Duration::from_secs(2);

/// Carries out an attempt to its end.
pub(super) async fn carry_out(
    context: &Context,
    caller: &Arc<dyn Caller>,
    task: &Task,
    wish: &mut watch::Receiver<Wish>,
    is_adopted: bool,
) -> Ending {
    let Some(call) = &task.spec.call else {
        return failed("it is no call", false, Spent::default());
    };
    let name = call.primitive.as_str();
    let descriptions = context.descriptions();
    let Some(about) = descriptions.iter().find(|about| about.name == name) else {
        return failed(
            format!("this legwork has no primitive {name}"),
            false,
            Spent::default(),
        );
    };
    if is_adopted && !about.effects.idempotent {
        return Ending::Lost {
            note: format!("{name} may have been called, and calling it again might do it twice"),
        };
    }
    let mut input = call.input.clone();
    let schema = (about.input_schema)().to_value();
    if schema.pointer("/properties/idempotency_key").is_some() {
        input
            .entry("idempotency_key")
            .or_insert_with(|| json!(format!("{}.{}", task.task_id, task.attempts)));
    }
    let since = clock::instant();
    let envelope = loop {
        let envelope = tokio::select! {
            biased;
            _end = end_wished(wish) => return ended_on_request(),
            envelope = caller.call(name, Value::Object(input.clone())) => envelope,
        };
        match &envelope {
            // It waits for a person; the same call again is found by what they decided.
            Envelope::Refusal(refusal) if refusal.error_code == Code::AuthorizationRequired => {}
            Envelope::Refusal(_) | Envelope::Success(_) => break envelope,
        }
        tokio::select! {
            biased;
            _end = end_wished(wish) => return ended_on_request(),
            () = clock::sleep(UNDECIDED) => {}
        }
    };
    let job_id = (name == LAUNCH).then(|| job_of(&envelope)).flatten();
    let Some(job_id) = job_id else {
        return ending(&envelope, spent(since.elapsed()));
    };
    wait_for_job(caller, wish, &job_id, since).await
}

/// Returns the job that a launch started.
fn job_of(envelope: &Envelope) -> Option<String> {
    let Envelope::Success(success) = envelope else {
        return None;
    };
    let data: Value = serde_json::from_str(success.data.get()).ok()?;
    // A dry run starts none.
    if data.get("plan").is_some() {
        return None;
    }
    Some(data.pointer("/job/job_id")?.as_str()?.to_owned())
}

/// Waits for the end of a job, which is that of the attempt; where the attempt is to end, the job is ended.
async fn wait_for_job(
    caller: &Arc<dyn Caller>,
    wish: &mut watch::Receiver<Wish>,
    job_id: &str,
    since: std::time::Instant,
) -> Ending {
    loop {
        let wait = json!({"job_id": job_id, "wait_s": WAIT_S, "require": "succeeded"});
        let envelope = tokio::select! {
            biased;
            _end = end_wished(wish) => {
                let cancelled = caller.call("cancel-job", json!({"job_id": job_id})).await;
                if let Envelope::Refusal(refusal) = &cancelled {
                    tracing::warn!(job_id, message = refusal.message, "cannot end a job");
                    clock::sleep(SILENCE).await;
                    continue;
                }
                return ended_on_request();
            }
            envelope = caller.call("wait-job", wait) => envelope,
        };
        match &envelope {
            Envelope::Refusal(refusal) if refusal.error_code == Code::WaitTimedOut => {}
            // A silent host ends nothing.
            Envelope::Refusal(refusal)
                if refusal.error_code == Code::JobUnreachable || refusal.retry_safe =>
            {
                clock::sleep(SILENCE).await;
            }
            Envelope::Success(_) | Envelope::Refusal(_) => {
                let mut spent = spent(since.elapsed());
                spent.cost_usd = cost_of(&envelope).unwrap_or(0.0);
                return ending(&envelope, spent);
            }
        }
    }
}

/// Returns what a job cost, as its agent reckons.
fn cost_of(envelope: &Envelope) -> Option<f64> {
    let envelope = serde_json::to_value(envelope).ok()?;
    ["/data/job/summary/cost_usd", "/details/cost_usd"]
        .iter()
        .find_map(|place| envelope.pointer(place)?.as_f64())
}

/// Says how an attempt ended, by the envelope of its call, which is the result of the task.
fn ending(envelope: &Envelope, spent: Spent) -> Ending {
    let result = kept(envelope);
    match envelope {
        Envelope::Success(_) => Ending::Done {
            summary: None,
            result,
            spent,
        },
        Envelope::Refusal(refusal) => Ending::Failed {
            error: format!("{}: {}", refusal.error_code.name(), refusal.message),
            // A requirement that was not met may be met by another job.
            retry: refusal.retry_safe || refusal.error_code == Code::RequirementUnmet,
            result,
            spent,
        },
    }
}

/// Returns an envelope as it is kept.
fn kept(envelope: &Envelope) -> Option<Value> {
    let text = serde_json::to_string(envelope).ok()?;
    let mut value: Value = serde_json::from_str(&text).ok()?;
    if text.len() > MAX_BYTES
        && let Some(fields) = value.as_object_mut()
    {
        fields.remove("data");
        fields.insert("omitted_bytes".to_owned(), json!(text.len()));
    }
    Some(value)
}
