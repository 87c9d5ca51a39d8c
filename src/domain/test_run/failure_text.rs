//! What shells and interpreters print when they cannot run what they were asked to.
//!
//! Only the last line that is not blank is looked at, or the last of a traceback: a program under test may print the
//! same words of something else, and its tests may expect it to. Recorded from dash 0.5.12, bash 5.2, busybox 1.35, zsh
//! 5.9, coreutils 9.1, Python 3.11 and 3.12, Node.js 20, npm 10, GNU Make 4.3, cargo 1.95 and uv 0.13.

use super::{model::Reason, text::Text};

/// Lines at the end that are looked at: npm, make and node add some of their own.
const LAST: usize = 12;

/// Returns why nothing ran, where the last lines are those of a shell or interpreter that could not run it.
pub(super) fn reason(text: &Text) -> Option<Reason> {
    let mut lines = text
        .iter()
        .rev()
        .map(str::trim_end)
        .filter(|line| !line.trim().is_empty() && !is_epilogue(line))
        .take(LAST);
    let last = lines.next()?;
    if is_command_missing(last) {
        return Some(Reason::CommandMissing);
    }
    if is_python_module_missing(last) {
        return Some(Reason::ModuleMissing);
    }
    if is_out_of_memory(last) {
        return Some(Reason::OutOfMemory);
    }
    // Node prints the stack below the error, then the error's fields, then its version.
    let is_node = |line: &str| {
        let line = line.trim_start();
        line.starts_with("Error: Cannot find module '")
            || line.starts_with("Error [ERR_MODULE_NOT_FOUND]: Cannot find ")
    };
    let mut is_of_node = last.starts_with("Node.js v") || last.trim_start().starts_with("at ");
    for line in std::iter::once(last).chain(lines) {
        is_of_node |= line.starts_with("Node.js v");
        if is_of_node && is_node(line) {
            return Some(Reason::ModuleMissing);
        }
    }
    None
}

/// Returns whether a line says that a process was out of memory.
pub(super) fn is_out_of_memory(line: &str) -> bool {
    let line = line.trim();
    line == "MemoryError"
        || line.starts_with("MemoryError: ")
        || line.contains("JavaScript heap out of memory")
        || line.starts_with("fatal error: runtime: out of memory")
        || line.starts_with("fatal error: runtime: cannot allocate memory")
        || line.starts_with("memory allocation of ") && line.ends_with(" bytes failed")
        || line.starts_with("terminate called after throwing an instance of 'std::bad_alloc'")
        || line.contains("Cannot allocate memory")
        || line.contains("Out of memory: Killed process")
        || line.ends_with("java.lang.OutOfMemoryError: Java heap space")
}

/// What `make`, `npm` and the like add below the line that matters.
fn is_epilogue(line: &str) -> bool {
    let line = line.trim_start();
    (line.starts_with("make") && line.contains("*** [") && line.contains("] Error "))
        || (line.starts_with("make") && line.contains("Leaving directory"))
        || line.starts_with("npm ERR!") && !line.contains("Missing script")
        || line.starts_with("npm error") && !line.contains("Missing script")
        || line.starts_with("error: Recipe `")
}

fn is_command_missing(line: &str) -> bool {
    let line = line.trim();
    let shell = line.split(": ").next().unwrap_or_default();
    // `sh: 1: foo: not found`, `bash: line 1: foo: command not found`, `./run.sh: 3: foo: not found`.
    let is_of_shell = !shell.contains(' ') && line.matches(": ").count() >= 2;
    let says_so = [
        ": not found",
        ": command not found",
        ": No such file or directory",
        ": No such file",
        ": Permission denied",
        ": Is a directory",
        ": cannot execute: required file not found",
        ": cannot execute binary file: Exec format error",
        ": Exec format error",
        ": bad interpreter: No such file or directory",
    ]
    .iter()
    .any(|end| line.ends_with(end));
    is_of_shell && says_so && is_shell(shell, line)
        || line.starts_with("zsh:") && line.contains("command not found: ")
        || line.starts_with("env: ") && line.ends_with(": No such file or directory")
        || line.starts_with("timeout: failed to run command ")
        || line.starts_with("nice: ") && line.ends_with(": No such file or directory")
        || line.starts_with("xargs: ") && line.ends_with(": No such file or directory")
        || line.starts_with("make: *** No rule to make target ")
        || line.starts_with("make: *** No targets specified and no makefile found")
        || line.starts_with("make: ") && line.ends_with(": No such file or directory")
        || line.contains("can't open file '") && line.contains("[Errno 2] No such file")
        || line.ends_with("python: No module named pytest")
        || is_python_without_module(line)
        || line.starts_with("Can't open perl script ")
        || line.starts_with("ruby: No such file or directory -- ")
        || line.starts_with("Error: Could not find or load main class ")
        || line.starts_with("npm ERR! Missing script: ")
        || line.starts_with("npm error Missing script: ")
        || line.starts_with("error: Failed to spawn: ")
        || line.starts_with("error: no such command: ")
        || line.starts_with("error: could not find `Cargo.toml` ")
}

/// `/usr/bin/python3: No module named pytest`: what `python -m` was to run is not there.
fn is_python_without_module(line: &str) -> bool {
    line.split_once(": No module named ")
        .is_some_and(|(program, _)| !program.contains(' ') && program.contains("python"))
}

/// Whether a shell, or a script by its name and the number of a line, speaks.
fn is_shell(name: &str, line: &str) -> bool {
    let base = name.rsplit('/').next().unwrap_or_default();
    let rest = line[name.len()..].trim_start_matches(": ");
    let (head, _) = rest.split_once(": ").unwrap_or_default();
    let is_numbered = !head.is_empty()
        && head
            .strip_prefix("line ")
            .unwrap_or(head)
            .bytes()
            .all(|byte| byte.is_ascii_digit());
    is_numbered || matches!(base, "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "-c")
}

/// The last line of a traceback whose module is not there.
fn is_python_module_missing(line: &str) -> bool {
    line.starts_with("ModuleNotFoundError: No module named ")
}

#[cfg(test)]
mod tests {
    use super::reason;
    use crate::domain::test_run::{model::Reason, text::Text};

    #[test]
    fn what_could_not_be_run_is_told_from_what_a_program_says() {
        let missing = [
            "sh: 1: ./prog: not found",
            "/bin/sh: 3: frobnicate: not found",
            "bash: line 1: frobnicate: command not found",
            "bash: ./prog: No such file or directory",
            "bash: line 2: ./prog: Permission denied",
            "./run.sh: line 3: frobnicate: command not found",
            "./run.sh: 3: frobnicate: not found",
            "sh: frobnicate: not found",
            "sh: 0: cannot open repro.sh: No such file",
            "sh: 0: cannot open repro.sh: No such file or directory",
            "bash: repro.sh: No such file or directory",
            "Can't open perl script \"x.pl\": No such file or directory",
            "zsh:1: command not found: frobnicate",
            "env: ‘frobnicate’: No such file or directory",
            "python3: can't open file '/w/repro.py': [Errno 2] No such file or directory",
            "/usr/bin/python3: No module named pytest",
            "make: *** No rule to make target 'test'.  Stop.",
            "make: frobnicate: No such file or directory\nmake: *** [Makefile:2: test] Error 127",
            "sh: 1: frobnicate: not found\nmake: *** [Makefile:2: test] Error 127",
            "npm ERR! Missing script: \"test\"\nnpm ERR! \nnpm ERR! A complete log of this run can be found in: /w/x.log",
            "npm error Missing script: \"test\"",
            "error: Failed to spawn: `pytest`",
            "error: no such command: `nextest`",
            "timeout: failed to run command ‘frobnicate’: No such file or directory",
            "bash: ./prog: cannot execute binary file: Exec format error",
            "bash: ./prog: /bin/nonesuch: bad interpreter: No such file or directory\n\n",
        ];
        for text in missing {
            assert_eq!(
                reason(&Text::new(text)),
                Some(Reason::CommandMissing),
                "{text}"
            );
        }
        let modules = [
            "Traceback (most recent call last):\n  File \"/w/repro.py\", line 1, in <module>\nModuleNotFoundError: No module named 'add'",
            "node:internal/modules/cjs/loader:1210\n  throw err;\n  ^\n\nError: Cannot find module '/w/x.js'\n    at Module._resolveFilename (node:internal/modules/cjs/loader:1207:15)\n    at node:internal/main/run_main_module:23:47 {\n  code: 'MODULE_NOT_FOUND',\n  requireStack: []\n}\n\nNode.js v20.20.2",
            "node:internal/modules/esm/resolve:853\n  throw new ERR_MODULE_NOT_FOUND(packageName, fileURLToPath(base), null);\n        ^\n\nError [ERR_MODULE_NOT_FOUND]: Cannot find package 'cartographer' imported from /w/x.mjs\n    at packageResolve (x:1:1) {\n  code: 'ERR_MODULE_NOT_FOUND'\n}\n\nNode.js v20.20.2",
        ];
        for text in modules {
            assert_eq!(
                reason(&Text::new(text)),
                Some(Reason::ModuleMissing),
                "{text}"
            );
        }
        let others = [
            "",
            "cat: x: No such file or directory",
            "prog: error: input.txt: No such file or directory",
            "expected 3: got 4: value not found",
            "sh: 1: tput: not found\n3 is not 4",
            "error: the module was not found",
            "AssertionError: ModuleNotFoundError: No module named 'x'",
            "ModuleNotFoundError: No module named 'x'\nexpected the above",
            "Error: Cannot find module 'x' (expected)\nFAILED",
        ];
        for text in others {
            assert_eq!(reason(&Text::new(text)), None, "{text}");
        }
    }
}
