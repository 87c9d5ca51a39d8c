//! The program that judges a diff on its host, and what is sent with it.

use super::request::{Plan, Subject};
use crate::{
    domain::{run, test_run, workspace},
    system::{digest, quote::quote, script::path_assignment, shell},
};

/// The fewest runs of the check on either side where whoever called does not say.
const LEAST: u32 = 2;

/// The most runs on either side where they are quick and whoever called does not say.
const MOST: u32 = 5;

/// Runs that took so many hundredths of a second together are enough, however few they are.
const BUDGET: u32 = 1000;

/// Runs without the fix and with it that have a likelihood ratio of 100.
const STRICT: (u32, u32) = (5, 6);

/// Reports to pytest's plugin channel.
const PLUGIN: &str = include_str!("../test_run/legwork_pytest.py");

/// How often the first check is run on each side; both 0 where that depends on how long it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Repeats {
    pub(super) reds: u32,
    pub(super) greens: u32,
}

impl Repeats {
    /// Decides the repeats, those that were made before taken off.
    pub(super) fn of(plan: &Plan, made: Self) -> Self {
        let settings = &plan.settings;
        let asked = match (settings.reds, settings.greens, settings.strict) {
            (None, None, false) => return Self { reds: 0, greens: 0 },
            (None, None, true) => STRICT,
            (Some(reds), None, true) => (reds, greens_for(reds)),
            (reds, greens, _) => (reds.unwrap_or(LEAST), greens.unwrap_or(LEAST)),
        };
        // Another attempt runs all of it again; what was run before counts either way.
        let is_first = settings.attempt == 1;
        let left = |asked: u32, made: u32| {
            if is_first {
                asked.saturating_sub(made).max(1)
            } else {
                asked
            }
        };
        Self {
            reds: left(asked.0, made.reds),
            greens: left(asked.1, made.greens),
        }
    }

    /// Returns the most runs of the first check.
    fn most(self) -> u32 {
        if self.reds == 0 {
            2 * MOST
        } else {
            self.reds + self.greens
        }
    }
}

/// Returns the fewest greens that have a likelihood ratio of 100 with so many reds.
fn greens_for(reds: u32) -> u32 {
    (1..=100)
        .find(|&greens| crate::domain::job::likelihood_ratio(reds, greens) >= 100.0)
        .unwrap_or(100)
}

/// The program, with the files that it finds in its folder, numbered from 1.
pub(super) struct Program {
    pub(super) script: String,
    pub(super) files: Vec<Vec<u8>>,
    /// Seconds that all of it may take.
    pub(super) wall_s: u64,
}

/// Renders the program that judges a diff.
pub(super) fn program(subject: &Subject, plan: &Plan, repeats: Repeats) -> Program {
    let mut files = vec![
        subject.diff.clone(),
        plan.examined
            .tests
            .iter()
            .flat_map(|path| path.bytes().chain([0]))
            .collect(),
        PLUGIN.as_bytes().to_vec(),
    ];
    let mut add = |bytes: &[u8]| {
        files.push(bytes.to_vec());
        files.len()
    };
    let repro = plan
        .checks
        .first()
        .and_then(|check| check.file.as_ref())
        .map_or_else(String::new, |(name, bytes)| {
            format!("{} {name}", add(bytes))
        });
    let held_out: Vec<String> = plan
        .settings
        .held_out
        .iter()
        .map(|(path, bytes)| format!("v_put {} {} || return\n", add(bytes), quote(path)))
        .collect();
    let held_out = held_out.concat();
    let hunks: Vec<String> = plan
        .hunks()
        .iter()
        .map(|part| add(&part.diff).to_string())
        .collect();
    let regressions: Vec<String> = (1..plan.checks.len()).map(|at| at.to_string()).collect();
    let commands = commands(plan);
    let inputs: Vec<String> = files
        .iter()
        .enumerate()
        .map(|(at, bytes)| format!("{} {}\n", at + 1, digest::sha256(bytes)))
        .collect();
    let inputs = inputs.concat();
    let compared: Vec<String> = plan
        .compared()
        .map(|path| format!("v_show {}\n", quote(path)))
        .collect();
    let compared = compared.concat();
    let variables: String = test_run::ENVIRONMENT
        .iter()
        .map(|(name, value)| match *name {
            // What is set already has to stay in it.
            "GOFLAGS" => format!("GOFLAGS=\"${{GOFLAGS:+$GOFLAGS }}{value}\"\nexport GOFLAGS\n"),
            _ => format!("export {name}={}\n", quote(value)),
        })
        .collect();
    let has_tests = if plan.examined.tests.is_empty() && plan.examined.inline.is_empty() {
        "no"
    } else {
        "yes"
    };
    let inline = inline(plan);
    let limit_s = plan.settings.limit_s;
    let settings = format!(
        "base={}\nv_inputs={}\nv_limit={limit_s}\nv_reds={}\nv_greens={}\nv_least={LEAST}\nv_most={MOST}\nv_budget={BUDGET}\n\
         v_tests={has_tests}\nv_base_run={has_tests}\nv_regressions={}\nv_hunks={}\nv_repro={}\n{commands}\
         v_held_out() {{\n:\n{held_out}}}\nv_inline() {{\n:\n{inline}}}\nv_compared() {{\n:\n{compared}}}\nlegwork_environment() {{\n:\n{variables}{}{}}}\n",
        quote(&subject.base_commit),
        quote(&inputs),
        repeats.reds,
        repeats.greens,
        quote(&regressions.join(" ")),
        quote(&hunks.join(" ")),
        quote(&repro),
        workspace::exports(&subject.place.variables),
        path_assignment(&[]),
    );
    let script = [
        prelude(subject).as_str(),
        settings.as_str(),
        include_str!("channel.sh"),
        shell::PROCESS,
        &workspace::clone_script(),
        &workspace::environment_script(subject.place.prepare.as_deref(), &subject.place.variables),
        include_str!("trees.sh"),
        "prepare_git\n",
        include_str!("judge.sh"),
    ]
    .join("\n");
    let runs = u64::from(repeats.most()) + 1 + 3 * regressions.len() as u64 + hunks.len() as u64;
    Program {
        script,
        files,
        wall_s: runs.saturating_mul(limit_s + 10).saturating_add(3600),
    }
}

/// Gives files that hold code and tests the tests of the other side.
fn inline(plan: &Plan) -> String {
    let paths = plan.examined.inline.iter();
    let lines: Vec<String> = paths
        .map(|path| format!("v_mix_inline {} || return\n", quote(path)))
        .collect();
    lines.concat()
}

/// Sets a variable to each check's command.
fn commands(plan: &Plan) -> String {
    let commands = plan.checks.iter().enumerate().map(|(at, check)| {
        let command = test_run::spoken(&check.command);
        format!("v_check_{at}={}\n", quote(&command))
    });
    commands.collect()
}

/// Returns the number of the input that holds the first hunk.
pub(super) fn first_hunk(plan: &Plan) -> usize {
    let repros = plan
        .checks
        .first()
        .map_or(0, |check| usize::from(check.file.is_some()));
    4 + repros + plan.settings.held_out.len()
}

/// Sets the folders from the arguments of the script.
fn prelude(subject: &Subject) -> String {
    let environment = subject
        .place
        .environment
        .as_deref()
        .map_or_else(String::new, |folder| format!("$root/{}", quote(folder)));
    let seed = quote(&subject.place.seed);
    let mirror = quote(&workspace::mirror(&subject.repository));
    format!(
        "job=$1\nroot=$2\nLEGWORK_ROOT=$root\nseed=$root/{seed}\nmirror=$root/{mirror}\nstore={environment}\n"
    )
}

/// The shell that puts the inputs of a verification into its folder.
pub(super) fn preparation(files: Vec<Vec<u8>>) -> run::Preparation {
    run::Preparation {
        script: include_str!("inputs.sh").to_owned(),
        arguments: vec![files.len().to_string()],
        files,
    }
}
