//! What a block of code is: by the name its author gave it, and by what stands in it.

/// What a block of code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A program in a language that is run by an interpreter or compiler.
    Program(&'static str),
    /// A session with the Python interpreter: prompts, input and output.
    PythonSession,
    /// A session with a shell: prompts, input and output.
    ShellSession,
    /// The way to an error, printed by a program.
    Traceback,
    /// What a tool collected about a machine.
    Environment,
    /// A change to files.
    Diff,
    /// What a program printed.
    Output,
    /// Data or configuration.
    Data,
    /// Something unnamed that looks like nothing known.
    Unknown,
}

impl Kind {
    /// Returns the language, or what else it is.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Program(language) => language,
            Self::PythonSession => "python",
            Self::ShellSession => "sh",
            Self::Traceback => "traceback",
            Self::Environment => "environment",
            Self::Diff => "diff",
            Self::Output => "output",
            Self::Data => "data",
            Self::Unknown => "unknown",
        }
    }
}

/// Tells what a block is from the word behind its fence and its content.
pub(super) fn kind(info: Option<&str>, code: &str) -> Kind {
    let named = info.and_then(named);
    let seen = seen(code);
    match (named, seen) {
        // Whatever the fence says, a bare traceback or dump is one.
        (_, Some(kind @ (Kind::Traceback | Kind::Environment | Kind::Diff))) => kind,
        (Some(Kind::Program("python")), Some(Kind::PythonSession)) => Kind::PythonSession,
        (Some(Kind::Program("sh")), Some(Kind::ShellSession)) => Kind::ShellSession,
        (Some(kind), _) => kind,
        (None, Some(kind)) => kind,
        (None, None) => Kind::Unknown,
    }
}

/// Reads an info string such as `py`, `Python`, `{.python .numberLines}` or `python {linenos=1}`.
fn named(info: &str) -> Option<Kind> {
    let word: String = info
        .trim()
        .trim_start_matches(['{', '.', ' '])
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '+' | '#' | '-' | '_'))
        .collect::<String>()
        .to_lowercase();
    Some(match word.as_str() {
        "py" | "python" | "python2" | "python3" | "py3" | "ipython" | "ipython3" | "cython"
        | "pyx" => Kind::Program("python"),
        "pycon" | "python-repl" | "pyrepl" | "python-console" | "doctest" | "pydocstring" => {
            Kind::PythonSession
        }
        "sh" | "bash" | "shell" | "zsh" | "dash" | "ksh" | "fish" | "shellscript"
        | "shell-script" => Kind::Program("sh"),
        "console" | "shell-session" | "sh-session" | "shellsession" | "bash-session"
        | "terminal" => Kind::ShellSession,
        "js" | "javascript" | "node" | "mjs" | "cjs" | "jsx" => Kind::Program("javascript"),
        "ts" | "typescript" | "tsx" => Kind::Program("typescript"),
        "c" | "h" => Kind::Program("c"),
        "cpp" | "c++" | "cxx" | "cc" | "hpp" => Kind::Program("cpp"),
        "cu" | "cuda" => Kind::Program("cuda"),
        "rs" | "rust" => Kind::Program("rust"),
        "go" | "golang" => Kind::Program("go"),
        "java" => Kind::Program("java"),
        "kotlin" | "kt" => Kind::Program("kotlin"),
        "scala" => Kind::Program("scala"),
        "rb" | "ruby" => Kind::Program("ruby"),
        "pl" | "perl" => Kind::Program("perl"),
        "php" => Kind::Program("php"),
        "r" => Kind::Program("r"),
        "jl" | "julia" => Kind::Program("julia"),
        "lua" => Kind::Program("lua"),
        "swift" => Kind::Program("swift"),
        "cs" | "csharp" | "c#" => Kind::Program("csharp"),
        "fortran" | "f90" => Kind::Program("fortran"),
        "hs" | "haskell" => Kind::Program("haskell"),
        "ex" | "elixir" => Kind::Program("elixir"),
        "powershell" | "ps1" | "pwsh" => Kind::Program("powershell"),
        "sql" => Kind::Program("sql"),
        "pytb" | "py3tb" | "traceback" | "stacktrace" => Kind::Traceback,
        "diff" | "patch" | "udiff" => Kind::Diff,
        "log" | "logs" | "output" | "out" | "stdout" | "stderr" | "text" | "txt" | "plain"
        | "plaintext" | "none" | "error" => Kind::Output,
        "json" | "yaml" | "yml" | "toml" | "ini" | "xml" | "html" | "css" | "csv" | "cfg"
        | "conf" | "properties" | "md" | "markdown" | "rst" | "dockerfile" | "docker"
        | "makefile" | "cmake" => Kind::Data,
        _ => return None,
    })
}

/// Tells what a text looks like, if it looks like anything.
fn seen(code: &str) -> Option<Kind> {
    let lines: Vec<&str> = code
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let first = lines.first()?;
    let starting = |starts: &[&str]| {
        lines
            .iter()
            .filter(|line| starts.iter().any(|start| line.starts_with(start)))
            .count()
    };
    if first.starts_with("#!") {
        return Some(match first {
            line if line.contains("python") => Kind::Program("python"),
            line if line.contains("node") => Kind::Program("javascript"),
            line if line.contains("ruby") => Kind::Program("ruby"),
            line if line.contains("perl") => Kind::Program("perl"),
            _ => Kind::Program("sh"),
        });
    }
    if starting(&[">>> "]) > 0 || is_ipython(&lines) {
        return Some(Kind::PythonSession);
    }
    if is_environment(&lines) {
        return Some(Kind::Environment);
    }
    if starting(&["diff --git ", "@@ -"]) > 0 && starting(&["+", "-"]) > 0 {
        return Some(Kind::Diff);
    }
    let frames = lines
        .iter()
        .filter(|line| is_frame(line.trim_start()))
        .count();
    // Code in front of a traceback is looked at as code; a traceback begins within the first lines.
    let early = lines.iter().take(3).any(|line| {
        line.trim_start()
            .starts_with("Traceback (most recent call last)")
    });
    if early || frames * 3 >= lines.len() {
        return Some(Kind::Traceback);
    }
    if first.starts_with("$ ") || first.starts_with("% ") {
        return Some(Kind::ShellSession);
    }
    if starting(&[
        "import ",
        "from ",
        "def ",
        "class ",
        "async def ",
        "with ",
        "print(",
        "@",
    ]) > 0
        && !lines
            .iter()
            .any(|line| line.ends_with(';') || line.ends_with('{'))
        && lines.iter().any(|line| is_python(line))
    {
        return Some(Kind::Program("python"));
    }
    if starting(&["#include"]) > 0 {
        let plus =
            code.contains("std::") || code.contains("<iostream>") || code.contains("template");
        return Some(Kind::Program(if plus { "cpp" } else { "c" }));
    }
    if starting(&["fn main()", "use std::"]) > 0 {
        return Some(Kind::Program("rust"));
    }
    if starting(&["package main", "func main()"]) > 0 {
        return Some(Kind::Program("go"));
    }
    if code.contains("console.log(")
        || code.contains("require(")
        || starting(&["const ", "let "]) > 0
    {
        return Some(Kind::Program("javascript"));
    }
    None
}

fn is_python(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let name = |word: &str| {
        word.trim_end_matches(',')
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_'))
    };
    match words.as_slice() {
        ["import", module] => name(module),
        ["import", module, rest, ..] => name(module) && (*rest == "as" || module.ends_with(',')),
        ["from", module, "import", ..] => {
            name(module.trim_start_matches('.')) || module.starts_with('.')
        }
        ["def" | "class" | "async" | "with" | "for" | "if", ..] => line.trim_end().ends_with(':'),
        _ => line.starts_with("print("),
    }
}

fn is_ipython(lines: &[&str]) -> bool {
    lines.iter().any(|line| {
        line.strip_prefix("In [").is_some_and(|rest| {
            rest.split_once("]: ")
                .is_some_and(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
        })
    })
}

/// A line of the way to an error in Python, Rust, JavaScript, Java, Go, gdb.
fn is_frame(line: &str) -> bool {
    (line.starts_with("File \"") && line.contains(", line "))
        || (line.starts_with("at ") && (line.contains('(') || line.contains(':')))
        || (line.starts_with('#')
            && line[1..].starts_with(|c: char| c.is_ascii_digit())
            && line.contains(" in "))
        || line.starts_with("thread '") && line.contains("panicked at")
        || line.starts_with("Traceback (most recent call last)")
}

fn is_environment(lines: &[&str]) -> bool {
    let known = [
        "Collecting environment information",
        "PyTorch version:",
        "Is debug build:",
        "CUDA used to build PyTorch:",
        "OS Version:",
        "INSTALLED VERSIONS",
        "Versions of relevant libraries:",
        "Package            Version",
    ];
    if lines
        .iter()
        .any(|line| known.iter().any(|start| line.starts_with(start)))
    {
        return true;
    }
    let is_pinned = |line: &&&str| {
        line.trim().split_once("==").is_some_and(|(name, version)| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
                && version.starts_with(|c: char| c.is_ascii_digit())
        })
    };
    lines.len() >= 3 && lines.iter().filter(is_pinned).count() * 2 > lines.len()
}

/// Takes the input out of a session with the Python interpreter or with `IPython`.
pub(super) fn python_input(session: &str) -> String {
    let mut input = String::new();
    for line in session.lines() {
        let typed = [">>> ", "... "]
            .iter()
            .find_map(|prompt| line.strip_prefix(prompt))
            .or_else(|| matches!(line.trim_end(), ">>>" | "...").then_some(""))
            .or_else(|| ipython_input(line));
        if let Some(typed) = typed {
            input.push_str(typed);
            input.push('\n');
        }
    }
    input
}

fn ipython_input(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix("In [") {
        return rest.split_once("]: ").map(|(_, typed)| typed);
    }
    let rest = line.trim_start();
    (line.starts_with("   "))
        .then(|| rest.strip_prefix("...: "))
        .flatten()
}

/// Takes the commands out of a session with a shell.
pub(super) fn shell_input(session: &str) -> String {
    let mut input = String::new();
    let mut goes_on = false;
    for line in session.lines() {
        let typed = line.strip_prefix("$ ").or_else(|| line.strip_prefix("% "));
        let typed = match typed {
            Some(typed) => Some(typed),
            None if goes_on => Some(line.strip_prefix("> ").unwrap_or(line)),
            None => None,
        };
        if let Some(typed) = typed {
            input.push_str(typed);
            input.push('\n');
        }
        goes_on = typed.is_some_and(|typed| typed.ends_with('\\'));
    }
    input
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind, python_input, shell_input};

    #[test]
    fn an_info_string_is_read_however_it_is_written() {
        for info in [
            "py",
            "Python",
            "python3",
            "{.python .x}",
            "python {linenos=1}",
            "python,ignore",
            " PY ",
        ] {
            assert_eq!(
                kind(Some(info), "x = 1\n"),
                Kind::Program("python"),
                "{info}"
            );
        }
        assert_eq!(kind(Some("c++"), "x"), Kind::Program("cpp"));
        assert_eq!(kind(Some("whatever"), "x"), Kind::Unknown);
        assert_eq!(kind(None, ""), Kind::Unknown);
    }

    #[test]
    fn content_tells_where_the_name_is_missing_or_wrong() {
        for (info, code, wanted) in [
            (None, "import torch\nx = torch.ones(1)\n", "python"),
            (None, "from a.b import c\nc()\n", "python"),
            (None, "import java.util.List;\nclass A {\n}\n", "unknown"),
            (None, "#include <stdio.h>\nint main() {}\n", "c"),
            (None, "$ make\ncc x.c\n", "sh"),
            (
                None,
                "Traceback (most recent call last):\n  File \"x.py\", line 1\nValueError\n",
                "traceback",
            ),
            (
                Some("python"),
                "Traceback (most recent call last):\n  File \"x.py\", line 1, in f\n    import torch\nValueError\n",
                "traceback",
            ),
            (
                Some("python"),
                "PyTorch version: 2.1\nOS: x\n",
                "environment",
            ),
            (None, "a==1.0\nb==2.0\nc==3.1\n", "environment"),
            (
                None,
                "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
                "diff",
            ),
            (None, "It failed when I imported it.\n", "unknown"),
            (Some("text"), "import torch\n", "output"),
        ] {
            assert_eq!(kind(info, code).name(), wanted, "{code}");
        }
    }

    #[test]
    fn sessions_give_what_was_typed() {
        assert_eq!(
            python_input(">>> def f():\n...     return 1\n...\n>>> f()\n1\n"),
            "def f():\n    return 1\n\nf()\n"
        );
        assert_eq!(
            python_input("In [1]: x = 1\n   ...: y = 2\nOut[1]: 3\n"),
            "x = 1\ny = 2\n"
        );
        assert_eq!(shell_input("$ a \\\n> b\nout\n$ c\nout\n"), "a \\\nb\nc\n");
    }
}
