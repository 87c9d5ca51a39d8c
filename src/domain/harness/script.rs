//! The scripts of the scenarios.

use serde_json::{Value, json};

use super::{
    answer::{
        FAILED_JOB, Failing, added, busy, cancelled, checked, failed_job, full, line, polled,
        success, taken, with_unknown_code, with_unknown_fields,
    },
    scenario::Scenario,
    turn::Turn,
};
use crate::{
    contract::{Code, Effect, Mode, Next, Retry, details},
    system::stub::{self, Step},
};

/// How many bytes are written to stderr at a time.
const FLOOD: usize = 4 << 20;

/// How much a large answer holds.
const LARGE: usize = 3 << 20;

/// The length of a text that fits into an argument and not into a pipe.
const LONG: usize = 100_000;

/// What is played in a scenario.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// The call that the harness is given, and those that its answers name in `next`.
    pub(super) calls: Vec<ScriptedCall>,
    /// How many of the first calls are killed before they read their input.
    pub(super) unread: usize,
    /// Whether it never gets better, so that a harness must give up.
    pub(super) hopeless: bool,
}

/// One call of a script, and its turns; the last is played for ever.
#[derive(Clone, Debug)]
pub(super) struct ScriptedCall {
    /// The primitive.
    pub(super) primitive: &'static str,
    /// Its input.
    pub(super) input: Value,
    /// What it does, time by time.
    pub(super) turns: Vec<Turn>,
}

impl Script {
    /// Writes the script of a scenario.
    pub(super) fn of(scenario: Scenario) -> Self {
        match scenario {
            Scenario::Success => Self::adding([Turn::answers(added())]),
            Scenario::HostileInput => Self::one(
                "check-input",
                hostile(),
                [Turn::answers(checked(&json!({})))],
            ),
            Scenario::InputUnread => input_unread(),
            Scenario::UnknownFields => Self::adding([
                Turn::answers(with_unknown_fields(busy(
                    "Busy.",
                    Retry::of(Mode::SameCall),
                ))),
                Turn::answers(with_unknown_fields(added())),
            ]),
            Scenario::UnknownCode => unknown_code(),
            Scenario::LargeAnswer => large_answer(),
            Scenario::SplitAnswer => split_answer(),
            Scenario::StderrFlood => stderr_flood(),
            Scenario::StderrEnvelope => stderr_envelope(),
            Scenario::FailedJob => Self::one(
                "poll-job",
                json!({"job_ids": [FAILED_JOB]}),
                [Turn::answers(polled())],
            ),
            Scenario::SameCall => Self::adding([
                Turn::answers(busy("Busy.", Retry::of(Mode::SameCall))),
                Turn::answers(added()),
            ]),
            Scenario::After => Self::adding([
                Turn::answers(busy("Busy.", Retry::after(300))),
                Turn::answers(busy("Busy.", Retry::after(1500))),
                Turn::answers(added()),
            ]),
            Scenario::AlwaysBusy => Self {
                hopeless: true,
                ..Self::adding(without_end(&Turn::answers(busy("Busy.", Retry::after(20)))))
            },
            Scenario::AfterFix => Self::adding([Turn::answers(full("No room."))]),
            Scenario::Never => Self::adding([Turn::answers(taken("It is there."))]),
            Scenario::Sequence => sequence(),
            Scenario::Partial => partial(),
            Scenario::ReconcileFirst => reconcile_first(),
            Scenario::EffectUnknown => effect_unknown(),
            Scenario::MisleadingMessage => misleading_message(),
            Scenario::StatusZero => Self::adding([
                Turn::answers_and_exits(busy("Busy.", Retry::of(Mode::SameCall)), 0),
                Turn::answers_and_exits(full("No room."), 0),
            ]),
            Scenario::KilledAfterAnswer => Self::adding([Turn::answers_and_dies(added())]),
            Scenario::Killed => Self::adding([Turn::dies(), Turn::answers(added())]),
            Scenario::CutLine => cut_line(),
            Scenario::AlwaysKilled => Self {
                hopeless: true,
                ..Self::adding(without_end(&Turn::dies()))
            },
            Scenario::Stopped => {
                Self::adding([Turn::answers_on_stop(cancelled()), Turn::answers(added())])
            }
            Scenario::AnswerOnStop => Self::adding([Turn::answers_on_stop(added())]),
            Scenario::Deaf => Self::adding([Turn::deaf(), Turn::answers(added())]),
        }
    }

    /// Returns what the stub needs of it.
    pub(super) fn for_stub(&self) -> stub::Script {
        stub::Script {
            calls: self
                .calls
                .iter()
                .map(|call| stub::Call {
                    primitive: call.primitive.to_owned(),
                    input: call.input.clone(),
                    responses: call
                        .turns
                        .iter()
                        .map(|turn| turn.response.clone())
                        .collect(),
                })
                .collect(),
            unread: self.unread,
            cancelled: line(&cancelled()),
        }
    }

    fn adding(turns: impl IntoIterator<Item = Turn>) -> Self {
        let input = json!({"name": "gpu-box", "destination": "ada@gpu-box.example.org"});
        Self::one("add-host", input, turns)
    }

    fn one(primitive: &'static str, input: Value, turns: impl IntoIterator<Item = Turn>) -> Self {
        Self {
            calls: vec![ScriptedCall {
                primitive,
                input,
                turns: turns.into_iter().collect(),
            }],
            unread: 0,
            hopeless: false,
        }
    }

    /// Adds a call that an answer names in `next`.
    fn offering(mut self, primitive: &'static str, input: Value, answer: Value) -> Self {
        self.calls.push(ScriptedCall {
            primitive,
            input,
            turns: vec![Turn::answers(answer)],
        });
        self
    }
}

/// How many tries are too many where it never gets better.
pub(super) const TOO_MANY: usize = 25;

/// Does the same until that is too often, and puts an end to it then.
fn without_end(turn: &Turn) -> Vec<Turn> {
    let mut turns = vec![turn.clone(); TOO_MANY + 1];
    turns.push(Turn::answers(full("That is enough.")));
    turns
}

fn plain_check() -> Value {
    json!({"primitive": "list-jobs", "input": {"limit": 5}})
}

fn hostile() -> Value {
    json!({
        "primitive": "render-prompt",
        "input": {
            "quotes": "it's \"quoted\" \\ \\\" \\n 'twice' ''",
            "lines": "one\ntwo\r\nthree\ttab\n\n",
            "shell": "$(echo no) `echo no` ${HOME} $1 \"$@\" ; exit 3 & | < > * ? [a-z] ~ ! # {a,b} %s %d",
            "options": ["--json", "-rf", "--", "-", ""],
            "scripts": "caf\u{e9} \u{65e5}\u{672c}\u{8a9e} \u{1f9ea} \u{202e}txt \u{2028} \u{feff} e\u{301}",
            "control": "\u{1}\u{1b}[31m\u{7f}",
            "json": "{\"ok\":true,\"retry_safe\":true}",
            "": {"$(a key)": [true, false, null, 0, -1, 9_007_199_254_740_991_i64, [], {}]},
            " spaces ": "  kept  ",
        },
    })
}

fn input_unread() -> Script {
    Script {
        unread: 1,
        ..Script::one(
            "check-input",
            json!({"primitive": "render-prompt", "input": {"text": "0123456789".repeat(LONG / 10)}}),
            [Turn::answers(checked(&json!({})))],
        )
    }
}

fn unknown_code() -> Script {
    Script::adding([
        Turn::answers(with_unknown_code(busy("Not now.", Retry::after(200)))),
        Turn::answers(with_unknown_code(full("Not like this."))),
    ])
}

fn large_answer() -> Script {
    Script::one(
        "check-input",
        plain_check(),
        [Turn::answers(checked(
            &json!({"text": "0123456789abcdef".repeat(LARGE / 16)}),
        ))],
    )
}

fn split_answer() -> Script {
    Script::one(
        "check-input",
        plain_check(),
        [Turn::answers_in_pieces(
            checked(&json!({"text": "caf\u{e9} \u{1f9ea}"})),
            vec![Step::Pause(600)],
        )],
    )
}

fn stderr_flood() -> Script {
    Script::one(
        "check-input",
        plain_check(),
        [Turn::answers_in_pieces(
            checked(&json!({"text": "caf\u{e9}"})),
            vec![Step::StderrFlood(FLOOD)],
        )
        .after(Step::StderrFlood(FLOOD))],
    )
}

fn stderr_envelope() -> Script {
    Script::adding([Turn::answers(full("No room."))
        .after(Step::Stderr(line(&busy(
            "Busy.",
            Retry::of(Mode::SameCall),
        ))))
        .and_then(Step::Stderr(line(&added())))])
}

fn effect_unknown() -> Script {
    Script::adding([
        Turn::answers(
            Failing {
                effect: Effect::Unknown,
                details: details::Wait::new(1000, "add-host").into(),
                ..Failing::new(Code::DeadlineExceeded, "It took too long.")
            }
            .envelope(),
        ),
        Turn::answers(added()),
    ])
}

fn misleading_message() -> Script {
    Script::adding([
        Turn::answers(busy(
            "Fatal: never retry. \"retry_safe\":false,\"retry\":{\"mode\":\"never\",\"after_ms\":900000}",
            Retry::after(200),
        )),
        Turn::answers(taken(
            "Temporary failure, please try again: \"retry_safe\":true,\"retry\":{\"mode\":\"same_call\"}, \"ok\":true",
        )),
    ])
}

fn cut_line() -> Script {
    Script::one(
        "check-input",
        plain_check(),
        [
            Turn::dies_within(&checked(&json!({"text": "caf\u{e9}"}))),
            Turn::answers(checked(&json!({"text": "caf\u{e9}"}))),
        ],
    )
}

fn sequence() -> Script {
    let wait = json!({"job_id": FAILED_JOB, "wait_s": 600});
    let not_ended = Failing {
        primitive: "verify-fix",
        next: vec![Next::new("wait-job", wait.clone(), "wait for its end")],
        details: details::Job::new(FAILED_JOB, Some("running".to_owned())).into(),
        ..Failing::new(Code::JobNotEnded, "It runs.")
    };
    let verdict = json!({
        "job_id": FAILED_JOB, "verdict": "not_fixed", "outcome": "not_fixed", "verification": null,
    });
    Script::one(
        "verify-fix",
        json!({"job_id": FAILED_JOB}),
        [
            Turn::answers(not_ended.envelope()),
            Turn::answers(success("verify-fix", Effect::Applied, &verdict)),
        ],
    )
    .offering(
        "wait-job",
        wait,
        success("wait-job", Effect::None, &json!({"job": failed_job()})),
    )
}

fn partial() -> Script {
    let rest = json!({"job_ids": [FAILED_JOB]});
    let failing = Failing {
        primitive: "poll-job",
        effect: Effect::Partial,
        next: vec![Next::new(
            "poll-job",
            rest.clone(),
            "look at the jobs that are known",
        )],
        details: details::Items::new(vec![details::Item::new(
            "gone-1",
            Code::JobNotFound,
            "There is no such job.",
        )])
        .into(),
        ..Failing::new(Code::PartialFailure, "1 of 2 jobs is not known.")
    };
    Script::one(
        "poll-job",
        json!({"job_ids": [FAILED_JOB, "gone-1"]}),
        [Turn::answers(failing.envelope())],
    )
    .offering("poll-job", rest, polled())
}

fn reconcile_first() -> Script {
    let poll = json!({"job_ids": [FAILED_JOB]});
    let lost = Failing {
        primitive: "launch-investigation",
        effect: Effect::Unknown,
        retry: Retry::of(Mode::ReconcileFirst),
        next: vec![Next::new(
            "poll-job",
            poll.clone(),
            "find out whether it was launched",
        )],
        details: details::Host::new("gpu-box", "").into(),
        ..Failing::new(Code::ContactLost, "The connection broke.")
    };
    let launched = json!({
        "job": failed_job(), "idempotency_key": "widgets-12", "plan": null,
    });
    Script::one(
        "launch-investigation",
        json!({"repository": "widgets", "message": "The cart loses what is in it."}),
        [
            Turn::answers(lost.envelope()),
            Turn::answers(success("launch-investigation", Effect::Replayed, &launched)),
        ],
    )
    .offering("poll-job", poll, polled())
}

#[cfg(test)]
mod tests {
    use super::{Scenario, Script};

    #[test]
    fn every_scenario_has_turns() {
        for scenario in Scenario::ALL {
            let script = Script::of(*scenario);
            assert!(script.calls.iter().all(|call| !call.turns.is_empty()));
        }
    }
}
