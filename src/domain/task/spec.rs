//! What is asked of a task: its work, and what must hold for it to run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::every::Every;
use crate::contract::{Name, Scope, Violation, Violations};

/// The counters that `resources` names by fields of their own.
const OWN_COUNTERS: &[&str] = &["slots", "gpus", "gpu_mem_bytes"];

/// What becomes of a task when one that it depends on does not succeed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnDependencyFailure {
    /// It fails too.
    #[default]
    Fail,
    /// It is skipped.
    Skip,
    /// It is held until somebody decides: `resume-task` or `cancel-task`.
    Hold,
}

/// A call of a primitive, kept for later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TaskCall")]
pub(crate) struct TaskCall {
    /// The primitive.
    pub(crate) primitive: Name,
    /// Its input.
    #[serde(default)]
    pub(crate) input: Map<String, Value>,
}

/// What a task takes of the named limits while it is claimed: all of it or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resources {
    /// Of the limit `slots`.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(crate) slots: u64,
    /// Of the limit `gpus`. At equal priority, tasks that need none come first.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(crate) gpus: u64,
    /// Of the limit `gpu_mem_bytes`.
    #[serde(default)]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_u64))]
    pub(crate) gpu_mem_bytes: u64,
    /// Of other limits, by their names.
    #[serde(default)]
    #[schemars(length(max = 16))]
    pub(crate) limits: BTreeMap<String, u32>,
}

const fn one() -> u64 {
    1
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            slots: 1,
            gpus: 0,
            gpu_mem_bytes: 0,
            limits: BTreeMap::new(),
        }
    }
}

impl Resources {
    /// Returns what is needed of each limit, without those of which nothing is.
    pub(super) fn needs(&self) -> BTreeMap<String, u64> {
        let own = [self.slots, self.gpus, self.gpu_mem_bytes];
        let own = OWN_COUNTERS.iter().map(|name| (*name).to_owned()).zip(own);
        let others = self
            .limits
            .iter()
            .map(|(name, amount)| (name.clone(), u64::from(*amount)));
        own.chain(others)
            .filter(|(_, amount)| *amount > 0)
            .collect()
    }
}

/// How long a task waits after an attempt that failed: `initial_s`, then each time `factor` times as long, up to `most_s`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Backoff {
    /// Seconds after the first failure.
    #[serde(default = "initial_s")]
    #[schemars(range(min = 0, max = 86_400))]
    pub(crate) initial_s: u64,
    /// How many times as long each further pause is.
    #[serde(default = "factor")]
    #[schemars(range(min = 1, max = 10))]
    pub(crate) factor: f64,
    /// The longest pause in seconds.
    #[serde(default = "most_s")]
    #[schemars(range(min = 0, max = 604_800))]
    pub(crate) most_s: u64,
}

const fn initial_s() -> u64 {
    30
}

const fn factor() -> f64 {
    2.0
}

const fn most_s() -> u64 {
    3600
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial_s: initial_s(),
            factor: factor(),
            most_s: most_s(),
        }
    }
}

impl Backoff {
    /// Returns the pause in milliseconds after so many failures, at least one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "the bounds of the fields keep it between 0 and a week"
    )]
    pub(super) fn pause_ms(&self, failures: u32) -> i64 {
        let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let pause = self.initial_s as f64 * self.factor.powi(exponent);
        (pause.min(self.most_s as f64) * 1000.0) as i64
    }
}

/// A task as it is asked for: a prompt for an agent, a command, or a call of a primitive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskSpec {
    /// A name within the batch, by which others in it depend on this one.
    #[serde(default)]
    pub(crate) name: Option<Name>,
    /// The key under which enqueueing it again finds it; made of its content where none is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub(crate) idempotency_key: Option<String>,
    /// One line on what it is about.
    #[serde(default)]
    #[schemars(length(max = 300))]
    pub(crate) title: Option<String>,
    /// The work as a prompt for an agent. Exactly one of `prompt`, `command` and `call` is given.
    #[serde(default)]
    #[schemars(length(min = 1, max = 262_144))]
    pub(crate) prompt: Option<String>,
    /// The work as a command: the program and its arguments, passed on as they are.
    #[serde(default)]
    #[schemars(length(max = 1000), inner(length(max = 65_536)))]
    pub(crate) command: Vec<String>,
    /// The work as a call of a primitive.
    #[serde(default)]
    pub(crate) call: Option<TaskCall>,
    /// Which of the tasks that can run comes first: 100 is first, 0 last.
    #[serde(default = "priority")]
    #[schemars(range(min = 0, max = 100))]
    pub(crate) priority: u8,
    /// What must have succeeded before: ids of tasks, or names within the batch.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub(crate) depends_on: Vec<Name>,
    /// What becomes of it when one of those does not succeed.
    #[serde(default)]
    pub(crate) on_dependency_failure: OnDependencyFailure,
    /// What it takes of the named limits while it is claimed.
    #[serde(default)]
    pub(crate) resources: Resources,
    /// Whether it waits until a person lets it run.
    #[serde(default)]
    pub(crate) requires_approval: bool,
    /// How many attempts may fail before it has failed. One that was released does not count; of those that were lost, the third and later ones do.
    #[serde(default = "max_attempts")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) max_attempts: u32,
    /// How long it waits after an attempt that failed.
    #[serde(default)]
    pub(crate) backoff: Backoff,
    /// When it is too late to start it (RFC 3339): it fails then.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub(crate) deadline: Option<String>,
    /// Before when it does not start (RFC 3339).
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub(crate) not_before: Option<String>,
    /// When it comes again: five fields of cron (`0 9 * * 1-5`), `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`, or a span (`15m`, `1h30m`).
    /// Each time is a task of its own, made when the one before has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub(crate) every: Option<String>,
    /// The time zone in which the fields of `every` are read, such as `Europe/Berlin`; UTC where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub(crate) time_zone: Option<String>,
    /// US dollars that it may cost in all, as its holders report them.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(crate) budget_usd: Option<f64>,
    /// Seconds that its attempts may take in all, as their holders report them.
    #[serde(default)]
    #[schemars(range(min = 1, max = 31_536_000))]
    pub(crate) max_wall_s: Option<u64>,
    /// The budgets that it spends of, which `set-limit` sets: once one is spent, it is not claimed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub(crate) budgets: Vec<Name>,
    /// Words to find it by.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub(crate) labels: Vec<Name>,
    /// The folder in which the work is to be done.
    #[serde(default)]
    #[schemars(length(min = 1, max = 4096))]
    pub(crate) cwd: Option<String>,
    /// Variables for the work. They are kept and shown as they are: no secrets.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub(crate) env: BTreeMap<String, String>,
    /// The agent that is to do it.
    #[serde(default)]
    pub(crate) agent: Option<Name>,
    /// The host on which it is to be done.
    #[serde(default)]
    pub(crate) host: Option<Name>,
}

const fn priority() -> u8 {
    50
}

const fn max_attempts() -> u32 {
    1
}

impl Default for TaskSpec {
    fn default() -> Self {
        Self {
            name: None,
            idempotency_key: None,
            title: None,
            prompt: None,
            command: Vec::new(),
            call: None,
            priority: priority(),
            depends_on: Vec::new(),
            on_dependency_failure: OnDependencyFailure::default(),
            resources: Resources::default(),
            requires_approval: false,
            max_attempts: max_attempts(),
            backoff: Backoff::default(),
            deadline: None,
            not_before: None,
            every: None,
            time_zone: None,
            budget_usd: None,
            max_wall_s: None,
            budgets: Vec::new(),
            labels: Vec::new(),
            cwd: None,
            env: BTreeMap::new(),
            agent: None,
            host: None,
        }
    }
}

impl TaskSpec {
    /// Lists the scopes of its work. Those of a call are not among them: it is held against them when it is made.
    pub(super) fn scopes(&self) -> &'static [Scope] {
        let is_here = self
            .host
            .as_ref()
            .is_none_or(|host| host.as_str() == "local");
        match (&self.call, &self.prompt, is_here) {
            (Some(_), ..) => &[],
            (None, Some(_), _) => &[Scope::Spend, Scope::RemoteWrite],
            (None, None, true) => &[Scope::RunCommand],
            (None, None, false) => &[Scope::RunCommand, Scope::RemoteWrite],
        }
    }

    /// Lists what is wrong with it that no schema says; `at` is where it stands in the input.
    pub(crate) fn violations(&self, at: &str) -> Violations {
        let mut wrong = Violations::default();
        let works = usize::from(self.prompt.is_some())
            + usize::from(!self.command.is_empty())
            + usize::from(self.call.is_some());
        if works != 1 {
            wrong.push(
                Violation::new(at, "oneOf", format!("{works} kinds of work are given"))
                    .expecting("exactly one of prompt, command and call"),
            );
        }
        times(
            at,
            [
                ("deadline", &self.deadline),
                ("not_before", &self.not_before),
            ],
            &mut wrong,
        );
        recurrence(at, (&self.every, &self.time_zone), &mut wrong);
        if self.every.is_some() && !self.depends_on.is_empty() {
            let message = "a task that comes again depends on no other";
            wrong.push(
                Violation::new(format!("{at}/depends_on"), "oneOf", message)
                    .expecting("nothing, or no every"),
            );
        }
        variables(&format!("{at}/env"), &self.env, &mut wrong);
        resources(&format!("{at}/resources"), &self.resources, &mut wrong);
        wrong
    }
}

/// Notes each time that is none.
pub(crate) fn times(at: &str, times: [(&str, &Option<String>); 2], wrong: &mut Violations) {
    for (field, text) in times {
        if let Some(text) = text
            && text.parse::<Timestamp>().is_err()
        {
            wrong.push(
                Violation::new(
                    format!("{at}/{field}"),
                    "format",
                    "this is no time with its zone",
                )
                .expecting("RFC 3339, such as 2026-01-31T12:00:00Z"),
            );
        }
    }
}

/// Notes what is wrong with when a task is to come again.
pub(crate) fn recurrence(
    at: &str,
    (every, time_zone): (&Option<String>, &Option<String>),
    wrong: &mut Violations,
) {
    let place = |field| format!("{at}/{field}");
    let Some(text) = every else {
        if time_zone.is_some() {
            let message = "a time zone says how every is read, and there is none";
            wrong.push(
                Violation::new(place("time_zone"), "dependentRequired", message).expecting("every"),
            );
        }
        return;
    };
    if let Err(error) = Every::parse(text, time_zone.as_deref()) {
        wrong.push(
            Violation::new(place(error.field), "format", error.reason).expecting(error.expected),
        );
    }
}

/// Notes each limit that has a field of its own, or no name.
pub(crate) fn resources(at: &str, resources: &Resources, wrong: &mut Violations) {
    for name in resources.limits.keys() {
        let place = format!("{at}/limits");
        if OWN_COUNTERS.contains(&name.as_str()) {
            let message = format!("the limit {name:?} has a field of its own");
            wrong.push(Violation::new(place, "enum", message).expecting(format!("{at}/{name}")));
        } else if let Err(error) = Name::new(name.as_str()) {
            wrong.push(Violation::new(place, "format", error.to_string()));
        }
    }
}

/// Notes each variable that no program could be given.
fn variables(at: &str, env: &BTreeMap<String, String>, wrong: &mut Violations) {
    for name in env.keys() {
        let is_variable = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_variable {
            wrong.push(
                Violation::new(at, "format", format!("{name:?} is no name of a variable"))
                    .expecting("letters, digits and _, not starting with a digit"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let backoff = Backoff {
            initial_s: 10,
            factor: 3.0,
            most_s: 100,
        };
        let pauses: Vec<i64> = (1..5).map(|n| backoff.pause_ms(n)).collect();
        assert_eq!(pauses, [10_000, 30_000, 90_000, 100_000]);
        assert_eq!(backoff.pause_ms(u32::MAX), 100_000);
    }
}
