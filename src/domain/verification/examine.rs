//! What a diff itself says, before anything is run: which of its files are tests, and what a reader must know of it.
//!
//! Rules for texts have holes, and no verdict rests on them. They add caveats to a verdict that was found by running.

use crate::domain::{
    job::{Caveat, CaveatKind},
    patch::Change,
    test_run::{self, TestFiles},
};

use super::pieces::Piece;

/// What a diff says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Examined {
    /// The paths of its tests, before and after.
    pub(super) tests: Vec<String>,
    /// The tests that it adds.
    pub(super) new_tests: Vec<String>,
    /// Its files that hold code and, at their end, tests: as Rust has them. The host looks at what they hold.
    pub(super) inline: Vec<String>,
    /// Whether it changes or removes tests that the base has.
    pub(super) touches_old_tests: bool,
    /// Tests of the base that it changes or removes.
    pub(super) old_tests: Vec<String>,
    /// Its other paths, before and after.
    pub(super) code: Vec<String>,
    /// What can be said of it whatever is found by running.
    pub(super) caveats: Vec<Caveat>,
    /// Lines by which its code ends its process.
    pub(super) endings: Vec<String>,
    /// Files that a test runner or a build tool reads before the first test, as far as their names tell.
    pub(super) configurations: Vec<String>,
}

/// Looks at a diff.
pub(super) fn examine(pieces: &[Piece], tests: &TestFiles) -> Examined {
    let mut found = Examined::default();
    let mut about: Vec<(CaveatKind, String)> = Vec::new();
    for piece in pieces {
        let path = piece.path();
        let is_test = piece.paths().any(|path| tests.has(&path));
        if is_test {
            found.tests.extend(piece.paths());
            if piece.file.change != Change::Add && piece.file.change != Change::Copy {
                found.touches_old_tests = true;
                found.old_tests.extend(piece.paths());
            } else {
                found.new_tests.push(path.clone());
            }
        } else {
            if is_inline(piece, &path) {
                found.inline.push(path.clone());
                found.touches_old_tests = true;
                found.old_tests.push(path.clone());
            }
            found.code.extend(piece.paths());
            let language = Language::of(&path, &piece.added);
            found
                .endings
                .extend(lines(&path, &piece.added, |line| ends(language, line)));
            for line in lines(&path, &piece.added, |line| looks_around(language, line)) {
                about.push((CaveatKind::ProcessControl, line));
            }
            for line in always_equal(&path, &piece.added) {
                about.push((CaveatKind::ProcessControl, line));
            }
        }
        for path in piece.paths() {
            if test_run::is_runner_configuration(&path) {
                found.configurations.push(path.clone());
            }
            if test_run::is_startup(&path) {
                about.push((CaveatKind::StartupFile, path.clone()));
            }
            if test_run::is_environment(&path) {
                about.push((CaveatKind::EnvironmentChanged, path.clone()));
            }
        }
        let is_new = matches!(
            piece.file.change,
            Change::Add | Change::Rename | Change::Copy
        );
        if is_new && test_run::shadowed(&path).is_some() {
            about.push((CaveatKind::ModuleShadowed, path.clone()));
        }
        let is_program = piece.file.new_mode.is_some_and(|mode| mode & 0o111 != 0);
        if piece.is_binary && (is_program || is_library(&path)) {
            about.push((CaveatKind::BinaryAdded, path.clone()));
        }
    }
    found.caveats = caveats(&about);
    found
}

/// Whether a part of a file's changes lies in the tests at its end, as far as the diff tells.
fn is_inline(piece: &Piece, path: &str) -> bool {
    let is_rust = path
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ending == "rs");
    is_rust
        && piece.file.change == Change::Modify
        && piece.parts.iter().any(|part| part.shows_tests)
}

/// Joins what is said under the same kind.
pub(super) fn caveats(about: &[(CaveatKind, String)]) -> Vec<Caveat> {
    let mut kinds: Vec<CaveatKind> = about.iter().map(|(kind, _)| *kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
        .into_iter()
        .map(|kind| {
            let of_kind = about.iter().filter(|(one, _)| *one == kind);
            let mut names: Vec<String> = of_kind.map(|(_, name)| name.clone()).collect();
            names.sort_unstable();
            names.dedup();
            Caveat::new(kind, names)
        })
        .collect()
}

fn lines(path: &str, added: &[String], fits: impl Fn(&str) -> bool) -> Vec<String> {
    added
        .iter()
        .map(|line| line.trim())
        .filter(|line| !is_comment(line) && fits(line))
        .map(|line| format!("{path}: {}", line.chars().take(120).collect::<String>()))
        .collect()
}

fn is_comment(line: &str) -> bool {
    line.is_empty()
        || line.starts_with('#') && !line.starts_with("#define")
        || line.starts_with("//")
}

/// The languages whose ways to end a process are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Python,
    JavaScript,
    Shell,
    Compiled,
    Text,
}

impl Language {
    fn of(path: &str, added: &[String]) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        match ending {
            "py" | "pyi" | "pyx" | "pth" => Self::Python,
            "js" | "mjs" | "cjs" | "ts" | "mts" | "cts" | "jsx" | "tsx" => Self::JavaScript,
            "sh" | "bash" | "bats" | "zsh" | "ksh" => Self::Shell,
            "c" | "h" | "cc" | "cpp" | "cxx" | "hpp" | "hh" | "rs" | "go" | "m" | "java" | "kt"
            | "cs" | "rb" | "pl" | "pm" | "php" | "lua" => Self::Compiled,
            "md" | "rst" | "txt" | "json" | "toml" | "yaml" | "yml" | "csv" | "html" | "css" => {
                Self::Text
            }
            _ => match added.first() {
                Some(line) if line.starts_with("#!") && line.contains("python") => Self::Python,
                Some(line) if line.starts_with("#!") && line.contains("node") => Self::JavaScript,
                _ => Self::Shell,
            },
        }
    }
}

/// Whether a line ends its process, or replaces it, in a way that a check could take for success.
fn ends(language: Language, line: &str) -> bool {
    let calls = |name: &str| call(line, name);
    match language {
        Language::Python => {
            [
                "os._exit",
                "_exit",
                "sys.exit",
                "exit",
                "quit",
                "SystemExit",
            ]
            .iter()
            .any(|name| calls(name).is_some_and(is_no_failure))
                || has_word(line, "raise SystemExit") && !line.contains('(')
                || [
                    "os.exec",
                    "os.kill",
                    "os.abort",
                    "os.posix_spawn",
                    "atexit",
                    "excepthook",
                    "signal.",
                    "_exit",
                    "killpg",
                ]
                .iter()
                .any(|word| line.contains(word) && calls("os._exit").is_none_or(is_no_failure))
        }
        Language::JavaScript => {
            calls("process.exit").is_some_and(is_no_failure)
                || [
                    "process.exitCode",
                    "process.on",
                    "process.once",
                    "process.kill",
                    "process.abort",
                    "reallyExit",
                    "execve",
                ]
                .iter()
                .any(|word| line.contains(word))
        }
        Language::Shell => shell_ends(line),
        Language::Compiled => {
            [
                "exit",
                "_exit",
                "_Exit",
                "quick_exit",
                "process::exit",
                "os.Exit",
                "syscall.Exit",
                "System.exit",
                "exit!",
                "die",
            ]
            .iter()
            .any(|name| calls(name).is_some_and(is_no_failure))
                || [
                    "atexit",
                    "constructor",
                    "at_exit",
                    "execv",
                    "execl",
                    "std::abort",
                    "raise(SIG",
                    "kill(",
                    "#define assert",
                    "#define main",
                    "_start",
                ]
                .iter()
                .any(|word| line.contains(word))
        }
        Language::Text => false,
    }
}

fn shell_ends(line: &str) -> bool {
    line.split([';', '&', '|', '{', '}', '(', ')'])
        .map(str::trim)
        .any(|part| {
            let part = ["then ", "else ", "do ", "! ", "builtin ", "command "]
                .iter()
                .fold(part, |part, word| part.strip_prefix(word).unwrap_or(part))
                .trim();
            let mut words = part.split_whitespace();
            match (words.next(), words.next()) {
                (Some("exit"), code) => code.is_none_or(|code| !is_number_of_failure(code)),
                (Some("exec"), Some(word)) => !word.starts_with(['<', '>']) && !word.starts_with(|char: char| char.is_ascii_digit()),
                (Some("trap" | "kill" | "alias" | "unalias"), Some(_)) => true,
                (Some("set"), Some(flags)) => flags.starts_with('+') && flags.contains('e'),
                _ => false,
            }
        })
        // A function under the name of a program that checks use.
        || ["test", "[", "grep", "diff", "cmp", "exit", "echo", "printf", "false", "set", "command"]
            .iter()
            .any(|name| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.trim_start().starts_with("()"))
                    || line.strip_prefix("function ").is_some_and(|rest| rest.trim_start().starts_with(name))
            })
}

/// Whether a line looks for a test runner, or reaches into the process that it runs in.
fn looks_around(language: Language, line: &str) -> bool {
    const ANYWHERE: [&str; 14] = [
        "PYTEST_",
        "LEGWORK_",
        "JEST_WORKER",
        "VITEST",
        "MOCHA_",
        "NODE_TEST_CONTEXT",
        "NODE_ENV",
        "CARGO_MANIFEST",
        "NEXTEST",
        "CTEST_",
        "LD_PRELOAD",
        "/proc/self",
        "/proc/$",
        "BATS_",
    ];
    const PYTHON: [&str; 22] = [
        "sys.modules",
        "pytest",
        "_pytest",
        "unittest",
        "settrace",
        "setprofile",
        "_getframe",
        "inspect.stack",
        "inspect.currentframe",
        "gc.get_",
        "ctypes",
        "__builtins__",
        "import builtins",
        "sys.meta_path",
        "sys.path_hooks",
        "__import__(",
        "sys.stdout =",
        "sys.stderr =",
        "faulthandler",
        "sys.argv =",
        "sys.flags",
        "__debug__",
    ];
    const JAVASCRIPT: [&str; 16] = [
        "require.cache",
        "Module._",
        "node:test",
        "'mocha'",
        "\"mocha\"",
        "'jest'",
        "vitest",
        "globalThis.expect",
        "global.expect",
        "global.it",
        "global.test",
        "globalThis.it",
        "globalThis.test",
        "require('assert')",
        "node:assert",
        "stdout.write =",
    ];
    const COMPILED: [&str; 8] = [
        "ptrace",
        "dup2(",
        "freopen",
        "cfg!(test)",
        "cfg(test)",
        "testing.Testing",
        "NDEBUG",
        "set_hook",
    ];
    let words: &[&str] = match language {
        Language::Python => &PYTHON,
        Language::JavaScript => &JAVASCRIPT,
        Language::Compiled => &COMPILED,
        Language::Shell | Language::Text => &[],
    };
    language != Language::Text && ANYWHERE.iter().chain(words).any(|word| line.contains(word))
        || language == Language::JavaScript && line.contains("console.log =")
}

/// Finds objects that say they equal everything.
fn always_equal(path: &str, added: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, line) in added.iter().enumerate() {
        let is_comparison = [
            "def __eq__",
            "def __ne__",
            "def __contains__",
            "def __bool__",
            "__eq__ =",
            "__eq__=",
        ]
        .iter()
        .any(|word| line.contains(word));
        let says_yes = added[at..].iter().take(4).any(|line| {
            line.contains("return True")
                || line.contains("lambda")
                || line.contains("return not None")
        });
        if is_comparison && says_yes {
            found.push(format!("{path}: {}", line.trim()));
        }
    }
    found
}

/// Returns the arguments of a call of this name, where the line holds one.
fn call<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = line;
    loop {
        let at = rest.find(name)?;
        let before = rest[..at].chars().next_back();
        let after = &rest[at + name.len()..];
        let is_apart =
            before.is_none_or(|char| !(char.is_alphanumeric() || char == '_' || char == '.'));
        if is_apart && let Some(arguments) = after.trim_start().strip_prefix('(') {
            return Some(arguments.split(')').next().unwrap_or_default());
        }
        rest = after;
    }
}

/// Whether the argument of an exit is anything but a plain number other than 0.
fn is_no_failure(arguments: &str) -> bool {
    !is_number_of_failure(arguments.trim())
}

fn is_number_of_failure(text: &str) -> bool {
    text == "EXIT_FAILURE"
        || text
            .trim_start_matches('-')
            .parse::<u32>()
            .is_ok_and(|code| code != 0 && code % 256 != 0)
}

fn has_word(line: &str, words: &str) -> bool {
    line.contains(words)
}

fn is_library(path: &str) -> bool {
    [
        ".so", ".dll", ".dylib", ".a", ".o", ".pyc", ".pyd", ".node", ".class", ".jar", ".wasm",
        ".exe", ".whl", ".egg",
    ]
    .iter()
    .any(|ending| path.ends_with(ending) || path.contains(&format!("{ending}.")))
}

/// Whether a word of a command is a file that judges, by its name.
fn judges(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word).to_lowercase();
    name.contains('.')
        && [
            "check", "test", "spec", "verif", "repro", "assert", "expect",
        ]
        .iter()
        .any(|part| name.contains(part))
}

/// Returns the files that a command runs as programs or scripts, as it names them, and those that it names and that judge by
/// their name.
pub(super) fn programs(command: &str) -> Vec<String> {
    let mut found: Vec<String> = command
        .split(|char: char| char.is_whitespace() || ";&|()<>'\"=".contains(char))
        .map(|word| word.split("::").next().unwrap_or(word))
        .filter(|word| judges(word))
        .map(|word| word.trim_start_matches("./").to_owned())
        .collect();
    for part in command.split([';', '&', '|', '\n', '(', ')', '{', '}']) {
        let mut words = part
            .split_whitespace()
            .map(|word| word.trim_matches(['\'', '"']))
            .filter(|word| !word.contains('=') || word.starts_with('-'));
        let Some(program) = words.find(|word| {
            !matches!(
                *word,
                "!" | "then"
                    | "do"
                    | "else"
                    | "if"
                    | "while"
                    | "exec"
                    | "env"
                    | "time"
                    | "command"
                    | "cd"
            )
        }) else {
            continue;
        };
        let base = program.rsplit('/').next().unwrap_or(program);
        if program.contains('/') {
            found.push(program.trim_start_matches("./").to_owned());
        }
        let interprets = base.starts_with("python")
            || matches!(
                base,
                "sh" | "bash"
                    | "dash"
                    | "ksh"
                    | "zsh"
                    | "busybox"
                    | "node"
                    | "nodejs"
                    | "deno"
                    | "bun"
                    | "ruby"
                    | "perl"
                    | "php"
                    | "lua"
                    | "Rscript"
                    | "make"
                    | "gmake"
                    | "awk"
                    | "."
                    | "source"
                    | "bats"
                    | "pytest"
                    | "py.test"
                    | "tox"
                    | "nox"
                    | "timeout"
                    | "npx"
            );
        if interprets {
            found.extend(words.filter(|word| !word.starts_with('-')).map(|word| {
                word.split("::")
                    .next()
                    .unwrap_or(word)
                    .trim_start_matches("./")
                    .to_owned()
            }));
        }
        if base == "make" || base == "gmake" {
            found.push("Makefile".to_owned());
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::{Language, ends, looks_around, programs};

    #[test]
    fn what_ends_a_process_is_seen_and_a_failure_is_none() {
        for (language, line) in [
            (Language::Python, "os._exit(0)"),
            (Language::Python, "    sys.exit()"),
            (Language::Python, "raise SystemExit"),
            (Language::Python, "atexit.register(lambda: None)"),
            (Language::Python, "sys.exit(code)"),
            (Language::JavaScript, "process.exit(0);"),
            (Language::Shell, "exit"),
            (Language::Shell, "[ -n \"$x\" ] && exit 0"),
            (Language::Shell, "trap 'exit 0' EXIT"),
            (Language::Shell, "grep() { return 0; }"),
            (
                Language::Compiled,
                "__attribute__((constructor)) static void f(void) { _exit(0); }",
            ),
            (Language::Compiled, "std::process::exit(0);"),
        ] {
            assert!(ends(language, line), "{line}");
        }
        for (language, line) in [
            (Language::Python, "sys.exit(1)"),
            (Language::Python, "return existing(0)"),
            (Language::Shell, "exit 1"),
            (Language::Shell, "exec 3>file"),
            (Language::Compiled, "exit(1);"),
            (Language::Compiled, "exit(EXIT_FAILURE);"),
            (Language::Text, "exit 0"),
        ] {
            assert!(!ends(language, line), "{line}");
        }
        assert!(looks_around(
            Language::Python,
            "if 'pytest' in sys.modules:"
        ));
        assert!(looks_around(Language::Shell, "[ -n \"$LEGWORK_RUN\" ]"));
        assert!(!looks_around(Language::Text, "run pytest"));
    }

    #[test]
    fn the_files_that_a_command_runs_are_found() {
        assert_eq!(programs("cc -o p check.c cart.c"), ["check.c"]);
        assert_eq!(
            programs("sh tests/a.sh && python3 -u b.py x"),
            ["b.py", "tests/a.sh", "x"]
        );
        assert_eq!(programs("./run.sh; grep -q x file"), ["run.sh"]);
        assert_eq!(programs("make -s check"), ["Makefile", "check"]);
        assert_eq!(
            programs("pytest -q tests/test_a.py::test_b"),
            ["tests/test_a.py"]
        );
    }
}
