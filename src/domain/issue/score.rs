//! How likely a block of code shows the bug.

use super::{
    blocks::Block,
    kind::Kind,
    languages::kind,
    sessions::{python_input, shell_input},
};

/// A block of code after it was looked at.
pub(super) struct Scored {
    /// The code, without prompts and output where it was a session.
    pub(super) code: String,
    /// What it is.
    pub(super) kind: Kind,
    /// Whether it can be run as it stands, as far as its language tells.
    pub(super) runnable: bool,
    /// More points are likelier; only the order means anything.
    pub(super) points: i64,
    /// What made the points, for a reader.
    pub(super) reasons: Vec<String>,
}

impl Scored {
    fn count(&mut self, points: i64, reason: impl AsRef<str>) {
        self.points += points;
        self.reasons.push(format!("{points:+} {}", reason.as_ref()));
    }
}

/// Looks at a block of code. `hints` are words that speak for it.
pub(super) fn score(
    block: Block,
    is_in_body: bool,
    is_of_reporter: bool,
    hints: &[String],
) -> Scored {
    let kind = kind(block.info.as_deref(), &block.code);
    let (runnable, points, reason) = worth(kind);
    let mut scored = Scored {
        code: input(kind, block.code),
        kind,
        runnable,
        points: 0,
        reasons: Vec::new(),
    };
    scored.count(points, reason);
    if is_of_reporter {
        scored.count(20, "written by the reporter");
    }
    if is_in_body {
        scored.count(5, "in the issue itself");
    }
    if runnable {
        if block.info.is_some() {
            scored.count(5, "its language is named");
        }
        by_content(&mut scored, hints);
    }
    by_words(&mut scored, &block.before);
    if !block.fenced {
        scored.count(-5, "indented, not fenced");
    } else if !block.closed {
        scored.count(-20, "its fence is never closed");
    }
    scored
}

/// Returns what is to be run of a block: of a session, what was typed.
fn input(kind: Kind, code: String) -> String {
    match kind {
        Kind::PythonSession => python_input(&code),
        Kind::ShellSession => match shell_input(&code) {
            input if input.is_empty() => code,
            input => input,
        },
        Kind::Program(_)
        | Kind::Traceback
        | Kind::Environment
        | Kind::Diff
        | Kind::Output
        | Kind::Data
        | Kind::Unknown => code,
    }
}

fn by_content(scored: &mut Scored, hints: &[String]) {
    for hint in hints.iter().filter(|hint| !hint.is_empty()) {
        if imports(&scored.code, hint) {
            scored.count(20, format!("it imports {hint}"));
        } else if scored.code.contains(hint.as_str()) {
            scored.count(5, format!("it names {hint}"));
        }
    }
    if only_installs(&scored.code) {
        scored.count(-40, "it only installs, fetches or starts something");
    }
    if ["assert", "raise ", "print(", "console.log", "panic!"]
        .iter()
        .any(|sign| scored.code.contains(sign))
    {
        scored.count(3, "it checks or shows something");
    }
}

/// Counts what the words right before a block announce.
fn by_words(scored: &mut Scored, before: &str) {
    let announced =
        |words: &[&'static str]| words.iter().find(|word| before.contains(**word)).copied();
    if let Some(word) = announced(REPRO_WORDS) {
        scored.count(15, format!("the words before it say `{word}`"));
    } else if let Some(word) = announced(OTHER_WORDS) {
        scored.count(-15, format!("the words before it say `{word}`"));
    }
}

/// Tells whether a block can be run, and what it is worth by its kind alone.
fn worth(kind: Kind) -> (bool, i64, String) {
    match kind {
        Kind::Program("python") => (true, 60, "a Python program".to_owned()),
        Kind::PythonSession => (true, 55, "a Python session".to_owned()),
        Kind::Program("sh") | Kind::ShellSession => (true, 35, "shell commands".to_owned()),
        Kind::Program(language) => (true, 50, format!("a program in {language}")),
        Kind::Unknown => (false, 10, "of no known language".to_owned()),
        Kind::Output | Kind::Data => (false, 0, format!("{}, not code", kind.name())),
        Kind::Traceback | Kind::Environment | Kind::Diff => {
            (false, -20, format!("{}, not code", kind.name()))
        }
    }
}

/// Words that announce a program which shows the bug.
const REPRO_WORDS: &[&str] = &[
    "repro",
    "minimal",
    "mwe",
    "mcve",
    "to trigger",
    "triggers",
    "fails with this",
    "following code",
    "following script",
    "following snippet",
    "example code",
    "code sample",
    "sample code",
    "test case",
    "testcase",
];

/// Words that announce something else.
const OTHER_WORDS: &[&str] = &[
    "workaround",
    "work around",
    "instead",
    "fixed by",
    "fixes",
    "proposed",
    "suggest",
    "traceback",
    "stack trace",
    "output",
    "error message",
    "log",
    "environment",
    "version",
    "install",
    "works",
    "expected",
];

fn imports(code: &str, name: &str) -> bool {
    let is_end = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    code.lines().any(|line| {
        let line = line.trim_start();
        let starts = [
            "import ",
            "from ",
            "use ",
            "#include <",
            "#include \"",
            "require '",
            "require \"",
        ];
        let direct = starts.iter().any(|start| {
            line.strip_prefix(start)
                .and_then(|rest| rest.strip_prefix(name))
                .is_some_and(is_end)
        });
        let listed = line.strip_prefix("import ").is_some_and(|rest| {
            rest.split(',')
                .any(|part| part.trim().strip_prefix(name).is_some_and(is_end))
        });
        let quoted = ['\'', '"'].iter().any(|quote| {
            line.contains(&format!("require({quote}{name}{quote}"))
                || line.contains(&format!("from {quote}{name}{quote}"))
        });
        direct || listed || quoted
    })
}

fn only_installs(code: &str) -> bool {
    let starts = [
        "pip ",
        "pip3 ",
        "python -m pip",
        "python3 -m pip",
        "uv ",
        "conda ",
        "mamba ",
        "npm ",
        "yarn ",
        "apt",
        "sudo ",
        "brew ",
        "cargo ",
        "git clone",
        "cd ",
        "wget ",
        "curl ",
        "#",
        "docker ",
        "poetry ",
        "source ",
        "export ",
        "%pip",
        "!pip",
    ];
    let mut lines = code
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .peekable();
    lines.peek().is_some() && lines.all(|line| starts.iter().any(|start| line.starts_with(start)))
}
