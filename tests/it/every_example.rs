//! What every example does, in a world where all that it names is there (see [`Furnished`]).
//!
//! Every example is played once by [`play`]: a dry run, the call, the same call again, the call while the host is down,
//! and the call where something that it names is not there or not as it should be. The tests read the record of that,
//! so one run of all examples serves them all.
//!
//! Each of these changes to a primitive's declaration, tried on several primitives, turns the named test red:
//!
//! | changed | test |
//! |---|---|
//! | `EFFECTS` of a call that talks to a host says that it stays here | [`effects_are_as_declared`] |
//! | `EFFECTS` of a call that stays here says that it talks to others | [`effects_are_as_declared`] |
//! | `EFFECTS` of a call that changes something says that it only looks | [`looking_changes_nothing`], [`effects_are_as_declared`] |
//! | `EFFECTS` of a call that only looks says that it changes something | [`a_changing_call_is_applied_and_then_replayed`] |
//! | `EFFECTS` says that a call removes something, or that it does not | `every_primitive::the_verb_says_what_a_call_may_do` |
//! | `NEEDS_HOST` is taken away | [`a_host_that_is_down_is_a_declared_failure`] |
//! | `NEEDS_HOST` is added | [`a_host_that_is_down_is_a_declared_failure`] |
//! | a code of something that is not there is taken out of `CODES` | [`a_refusal_is_declared_and_its_effect_is_true`] |
//! | any other code is taken out of `CODES` | the test that reaches it: [`crate::support::Call`] refuses what is not declared |
//! | a code is added to `CODES` | [`every_declared_code_is_reached`] |
//! | `deny_unknown_fields` is taken away, at any depth | `every_primitive::every_object_of_an_input_refuses_stray_fields` |
//! | a primitive has no test that calls it and asserts that it succeeds | `own_tests::every_primitive_has_a_test_of_its_own` |

use std::{
    collections::BTreeMap,
    sync::{
        LazyLock, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use legwork::{
    contract::Code,
    registry::{ALL, Entry},
};
use serde_json::{Value, json};

use crate::{
    own_tests,
    support::{Faults, Furnished, schemas, snapshot},
};

/// How many examples are played at once, each in a world of its own: most of a call is waiting.
const AT_ONCE: usize = 3;

/// Changing primitives of which no example is ever applied, and why.
const NEVER_APPLIED: &[(&str, &str)] = &[(
    "check-harness",
    "what changes is changed by the program that it runs, not by the call",
)];

/// Primitives that may reach out without that showing in a world, and why.
const REACH_UNSEEN: &[(&str, &str)] = &[(
    "check-harness",
    "the program that it runs may reach out, the call does not",
)];

/// Primitives that are made of the operations of others, whose tests reach the codes of those.
const COMPOSED: &[&str] = &["demo"];

/// Codes that no test reaches by a call, and why. Taking one of them out of `CODES` turns nothing red but this list.
const UNREACHED: &[(&str, &str, &str)] = &[
    (
        "restart-worker",
        "worker_not_started",
        "what keeps a worker from coming up is tested with start-worker",
    ),
    (
        "check-artifacts",
        "artifact_missing",
        "what was fetched must be gone a moment later",
    ),
    (
        "check-diff",
        "artifact_changed",
        "the diff must change between the look at it and its coming",
    ),
    (
        "verify-fix",
        "artifact_changed",
        "the diff must change between the look at it and its coming",
    ),
];

/// One call and what it changed.
struct Turn {
    answer: Value,
    /// The ways in which the answer breaks the contract of every call.
    broken: Vec<String>,
    changes: Vec<String>,
}

impl Turn {
    fn round_trips(&self) -> u64 {
        self.answer["meta"]["round_trips"].as_u64().unwrap_or(0)
    }
}

/// All that was done with one example.
struct Played {
    entry: &'static Entry,
    input: Value,
    dry: Option<Turn>,
    first: Turn,
    second: Turn,
    /// The call while the host is down, and the same again.
    down: Option<[Turn; 2]>,
    /// Whether the forge was asked in the dry run or the first call.
    asked_forge: bool,
    /// The call where something is not as it should be, by what that is.
    odd: Vec<(String, Turn)>,
}

impl Played {
    fn name(&self) -> &'static str {
        self.entry.about.name
    }

    fn turns(&self) -> impl Iterator<Item = (&'static str, &Turn)> {
        let down = self.down.iter().flatten();
        self.dry
            .iter()
            .map(|turn| ("as a dry run", turn))
            .chain([("once", &self.first), ("again", &self.second)])
            .chain(down.map(|turn| ("while the host is down", turn)))
    }
}

/// Every example of every primitive, played.
static PLAYED: LazyLock<Vec<Played>> = LazyLock::new(|| {
    let mut examples: Vec<(&'static Entry, Value)> = ALL
        .iter()
        .flat_map(|entry| {
            (entry.about.examples)()
                .into_iter()
                .map(move |e| (entry, e))
        })
        .collect();
    // The long ones go first, so that no worker is left with one at the end.
    examples.sort_by_key(|(entry, _)| !matches!(entry.about.name, "check-harness" | "demo"));
    let next = AtomicUsize::new(0);
    let played = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let mut world = Furnished::new();
                while let Some((entry, example)) =
                    examples.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let one = play(&mut world, entry, example);
                    played
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(one);
                }
            });
        }
    });
    let mut played = played.into_inner().unwrap_or_else(PoisonError::into_inner);
    played.sort_by_key(Played::name);
    played
});

/// Plays one example in a world that is as it was made.
fn play(world: &mut Furnished, entry: &'static Entry, example: &Value) -> Played {
    let about = &entry.about;
    world.restore();
    let input = world.fill(example);
    let mut before = world.snapshot();
    world.forge().asked();
    let dry = (!about.effects.read_only).then(|| {
        let mut input = input.clone();
        input["dry_run"] = json!(true);
        turn(world, entry, &input, &mut before)
    });
    let first = turn(world, entry, &input, &mut before);
    let asked_forge = !world.forge().asked().is_empty();
    let second = turn(world, entry, &input, &mut before);
    // What a call does not ask cannot fail it.
    let asks_host = first.round_trips() > 0 || needs_host(entry);
    let down = asks_host.then(|| {
        world.restore();
        let input = impatient(world.fill(example));
        world.stop_host();
        let mut before = world.snapshot();
        let turns = [(); 2].map(|()| turn(world, entry, &input, &mut before));
        world.host_mut().start_again();
        turns
    });
    Played {
        odd: play_oddly(world, entry, example, asks_host, asked_forge),
        entry,
        input,
        dry,
        first,
        second,
        down,
        asked_forge,
    }
}

/// Returns whether a primitive declares the codes of a host that gives no answer.
fn needs_host(entry: &Entry) -> bool {
    let declared = (entry.about.codes)();
    Code::of_hosts().all(|code| declared.contains(&code))
}

/// Shortens waiting that would be in vain.
fn impatient(mut input: Value) -> Value {
    if let Some(wait) = input.get_mut("wait_s") {
        *wait = json!(1);
    }
    input
}

/// Sends an example where what it names is unknown, where a job has not ended, where the host has no place for it, where
/// programs are missing here, and where the forge refuses.
fn play_oddly(
    world: &mut Furnished,
    entry: &'static Entry,
    example: &Value,
    asks_host: bool,
    asks_forge: bool,
) -> Vec<(String, Turn)> {
    let mut turns = Vec::new();
    let mut send = |world: &Furnished, what: String, input: &Value| {
        let mut before = world.snapshot();
        turns.push((what, turn(world, entry, input, &mut before)));
    };
    for (place, text) in texts(example, "") {
        let mut substitutes = vec!["no-such-thing-000000000000"];
        substitutes.extend(Furnished::other_jobs(&text));
        for substitute in substitutes {
            world.restore();
            let mut odd = example.clone();
            if let Some(value) = odd.pointer_mut(&place) {
                *value = json!(substitute);
            }
            let input = impatient(world.fill(&odd));
            send(world, format!("with {substitute} at {place}"), &input);
        }
    }
    if asks_host {
        world.restore();
        let input = impatient(world.fill(example));
        world.block_host_folder();
        send(world, "where the host has no place".to_owned(), &input);
        world.restore();
        let input = impatient(world.fill(example));
        world.hide_programs(true);
        send(world, "where programs are missing here".to_owned(), &input);
        world.hide_programs(false);
    }
    for status in [401, 403, 404, 429, 500].iter().filter(|_| asks_forge) {
        world.restore();
        let input = impatient(world.fill(example));
        world.refuse_issues(*status);
        send(world, format!("where the forge answers {status}"), &input);
        world.publish_issue();
    }
    turns
}

/// Lists the texts in an example, and where they are.
fn texts(value: &Value, at: &str) -> Vec<(String, String)> {
    match value {
        Value::String(text) => vec![(at.to_owned(), text.clone())],
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items
                .flat_map(|(index, item)| texts(item, &format!("{at}/{index}")))
                .collect()
        }
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, field)| texts(field, &format!("{at}/{name}")))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

fn turn(
    world: &Furnished,
    entry: &Entry,
    input: &Value,
    before: &mut BTreeMap<String, String>,
) -> Turn {
    let (answer, broken) = schemas::judge(&world.call(entry.about.name, input));
    let after = world.snapshot();
    let changes = snapshot::changes(before, &after);
    *before = after;
    Turn {
        answer,
        broken,
        changes,
    }
}

#[test]
fn every_example_succeeds_and_keeps_the_contract() {
    let faults = Faults::default();
    for played in PLAYED.iter() {
        let name = played.name();
        for (when, turn) in played.turns() {
            let answer = &turn.answer;
            for fault in &turn.broken {
                faults.note(format!("{name} {when}: {fault}\n    {answer}"));
            }
            faults.unless(answer["primitive"] == name, || {
                format!("{name} {when} answers as {}", answer["primitive"])
            });
            faults.unless(answer["kind"] != "internal", || {
                format!("{name} {when}: a bug: {answer}")
            });
            let idempotent = played.entry.about.effects.idempotent;
            faults.unless(
                answer["ok"] == false || answer["idempotent"] == idempotent,
                || format!("{name} {when} says idempotent {}", answer["idempotent"]),
            );
        }
        for (when, turn) in [("once", &played.first), ("again", &played.second)] {
            faults.unless(turn.answer["ok"] == true, || {
                format!("{name} {when}: {}\n    {}", played.input, turn.answer)
            });
        }
    }
    faults.none();
}

/// What any call may keep here of what jobs made on a host, which has the truth.
const COPIES: &[&str] = &["ssh/gpu-box/home/legwork/tmp:", "state/legwork/results"];

/// What calls that only look may note here of where jobs stand on a host.
const OBSERVATIONS: &[&str] = &[
    "state/legwork/legwork.db:events:",
    "state/legwork/legwork.db:jobs:",
    // What a run has there while it lives goes with its end, whoever looks.
    "ssh/gpu-box/home/legwork/tmp/run.",
];

/// Returns the changes of a call that are more than a copy of what a host has; `fetch-artifacts` is there to make one.
fn changes<'a>(name: &str, turn: &'a Turn) -> impl Iterator<Item = &'a String> {
    let copies = if name == "fetch-artifacts" {
        &[]
    } else {
        COPIES
    };
    let only_looks = Entry::find(name).is_some_and(|entry| entry.about.effects.read_only);
    let observations = if only_looks { OBSERVATIONS } else { &[] };
    turn.changes.iter().filter(move |change| {
        let mut excepted = copies.iter().chain(observations);
        !excepted.any(|place| change.starts_with(place))
    })
}

#[test]
fn looking_changes_nothing() {
    let faults = Faults::default();
    for played in PLAYED.iter() {
        if !played.entry.about.effects.read_only {
            continue;
        }
        for (when, turn) in played.turns() {
            for change in changes(played.name(), turn) {
                faults.note(format!("{} {when} changes {change}", played.name()));
            }
        }
    }
    faults.none();
}

#[test]
fn a_dry_run_changes_nothing() {
    let faults = Faults::default();
    for played in PLAYED.iter() {
        let Some(dry) = &played.dry else { continue };
        let name = played.name();
        faults.unless(
            dry.answer["ok"] == true && dry.answer["effect"] == "none",
            || format!("{name}: {}", dry.answer),
        );
        for change in changes(name, dry) {
            faults.note(format!("{name} dry changes {change}"));
        }
    }
    faults.none();
}

#[test]
fn a_changing_call_is_applied_and_then_replayed() {
    let faults = Faults::default();
    let mut proven: BTreeMap<&str, bool> = BTreeMap::new();
    for played in PLAYED.iter() {
        let name = played.name();
        let effects = played.entry.about.effects;
        if effects.read_only {
            continue;
        }
        let (first, second) = (&played.first, &played.second);
        if first.answer["effect"] == "applied" {
            faults.unless(!first.changes.is_empty(), || {
                format!("{name} says applied, and changed nothing")
            });
            faults.unless(
                !effects.idempotent || second.answer["effect"] == "replayed",
                || format!("{name} again: {}", second.answer),
            );
        } else {
            for change in &first.changes {
                faults.note(format!(
                    "{name} says {}, and changed {change}",
                    first.answer["effect"]
                ));
            }
        }
        for change in changes(name, second).filter(|_| effects.idempotent) {
            faults.note(format!("{name} again changes {change}"));
        }
        *proven.entry(name).or_default() |=
            first.answer["effect"] == "applied" && second.answer["effect"] == "replayed";
    }
    for (name, proven) in &proven {
        let excepted = NEVER_APPLIED.iter().any(|(other, _)| other == name);
        faults.unless(*proven != excepted, || {
            format!("{name}: no example is applied and then replayed, or it need not be excepted")
        });
    }
    assert!(proven.len() > 10, "only {} were found", proven.len());
    faults.none();
}

#[test]
fn effects_are_as_declared() {
    let faults = Faults::default();
    let mut reaching: BTreeMap<&str, bool> = BTreeMap::new();
    for played in PLAYED.iter() {
        let name = played.name();
        let effects = played.entry.about.effects;
        for (when, turn) in played.turns() {
            faults.unless(
                !effects.read_only || turn.answer["effect"] == "none",
                || {
                    format!(
                        "{name} only looks, and {when} its effect is {}",
                        turn.answer["effect"]
                    )
                },
            );
            faults.unless(effects.open_world || turn.round_trips() == 0, || {
                format!("{name} stays here, and {when} counts round trips")
            });
        }
        let reached = played.asked_forge || played.turns().any(|(_, turn)| turn.round_trips() > 0);
        faults.unless(effects.open_world || !reached, || {
            format!("{name} stays here, and asked others: {}", played.input)
        });
        if effects.open_world {
            *reaching.entry(name).or_default() |= reached;
        }
    }
    for (name, reached) in &reaching {
        let excepted = REACH_UNSEEN.iter().any(|(other, _)| other == name);
        faults.unless(*reached != excepted, || {
            format!("{name}: no example reaches out, or it need not be excepted")
        });
    }
    assert!(reaching.len() > 10, "only {} were found", reaching.len());
    faults.none();
}

#[test]
fn a_host_that_is_down_is_a_declared_failure() {
    let faults = Faults::default();
    let mut needing: BTreeMap<&str, bool> = BTreeMap::new();
    let of_hosts: Vec<&str> = Code::of_hosts().map(Code::name).collect();
    for played in PLAYED.iter() {
        let name = played.name();
        let mut failed = false;
        for turn in played.down.iter().flatten() {
            let code = turn.answer["error_code"].as_str().unwrap_or_default();
            failed |= of_hosts.contains(&code);
            // Undeclared codes are among what breaks the contract.
            for fault in &turn.broken {
                faults.note(format!("{name}: {fault}"));
            }
        }
        if let Some([once, again]) = &played.down {
            faults.unless(
                once.answer["retry_safe"] != true
                    || again.answer["error_code"] == once.answer["error_code"],
                || {
                    format!(
                        "{name} sent again: {} and then {}",
                        once.answer, again.answer
                    )
                },
            );
        }
        if needs_host(played.entry) {
            *needing.entry(name).or_default() |= failed;
        }
    }
    for (name, failed) in &needing {
        faults.unless(*failed, || {
            format!("{name} declares the codes of hosts, and no example needs one")
        });
    }
    assert!(needing.len() > 8, "only {} were found", needing.len());
    faults.none();
}

#[test]
fn a_refusal_is_declared_and_its_effect_is_true() {
    let faults = Faults::default();
    let mut refused = 0;
    for played in PLAYED.iter() {
        let name = played.name();
        let odd = played.odd.iter().map(|(what, turn)| (what.as_str(), turn));
        for (what, turn) in played.turns().chain(odd) {
            let answer = &turn.answer;
            for fault in &turn.broken {
                faults.note(format!("{name} {what}: {fault}\n    {answer}"));
            }
            faults.unless(answer["kind"] != "internal", || {
                format!("{name} {what}: a bug: {answer}")
            });
            if answer["ok"] == true {
                continue;
            }
            refused += 1;
            faults.unless(
                answer["effect"] != "applied" && answer["effect"] != "replayed",
                || {
                    format!(
                        "{name} {what} is refused with the effect {}",
                        answer["effect"]
                    )
                },
            );
            if answer["effect"] == "none" {
                for change in changes(name, turn) {
                    faults.note(format!(
                        "{name} {what}: {} with the effect none changes {change}",
                        answer["error_code"]
                    ));
                }
            }
        }
    }
    assert!(refused > 100, "only {refused} refusals were seen");
    faults.none();
}

#[test]
fn every_declared_code_is_reached() {
    let faults = Faults::default();
    // A call over several things answers each of them with a code of its own, somewhere in the envelope.
    let shown: Vec<(&str, String)> = PLAYED
        .iter()
        .flat_map(|played| {
            let odd = played.odd.iter().map(|(_, turn)| turn);
            let turns = played.turns().map(|(_, turn)| turn).chain(odd);
            turns.map(|turn| (played.name(), turn.answer.to_string()))
        })
        .collect();
    let is_reached = |name: &str, code: &str| {
        let quoted = format!("\"{code}\"");
        let mut shown = shown.iter().filter(|(other, _)| *other == name);
        shown.any(|(_, answer)| answer.contains(&quoted)) || own_tests::names(name, code)
    };
    for (name, code, _) in UNREACHED {
        faults.unless(schemas::may_return(name, code), || {
            format!("{name} does not declare {code} any more")
        });
        faults.unless(!is_reached(name, code), || {
            format!("{name} is answered with {code} by a test, and need not be excepted")
        });
    }
    for entry in ALL {
        let name = entry.about.name;
        for code in (entry.about.codes)() {
            if needs_host(entry) && Code::of_hosts().any(|other| other == code) {
                continue;
            }
            let code = code.name();
            let is_composed = COMPOSED.contains(&name);
            let by_a_part = || ALL.iter().any(|other| is_reached(other.about.name, code));
            let reached = is_reached(name, code) || is_composed && by_a_part();
            let excepted = UNREACHED
                .iter()
                .any(|(other, unreached, _)| *other == name && *unreached == code);
            faults.unless(reached || excepted, || {
                format!("{name} declares {code}, and no call of a test is answered with it")
            });
        }
    }
    faults.none();
}
