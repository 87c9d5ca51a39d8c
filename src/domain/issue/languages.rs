//! What a block of code is: by the word its author put behind the fence, and by its content.

use super::{guess::looks_like, kind::Kind};

/// The words behind a fence, in lower case, and what they mean.
const WORDS: &[(&[&str], Kind)] = &[
    (
        &[
            "py", "python", "python2", "python3", "py3", "ipython", "ipython3", "cython", "pyx",
        ],
        Kind::Program("python"),
    ),
    (
        &[
            "pycon",
            "python-repl",
            "pyrepl",
            "python-console",
            "doctest",
            "pydocstring",
        ],
        Kind::PythonSession,
    ),
    (
        &[
            "sh",
            "bash",
            "shell",
            "zsh",
            "dash",
            "ksh",
            "fish",
            "shellscript",
            "shell-script",
        ],
        Kind::Program("sh"),
    ),
    (
        &[
            "console",
            "shell-session",
            "sh-session",
            "shellsession",
            "bash-session",
            "terminal",
        ],
        Kind::ShellSession,
    ),
    (
        &["js", "javascript", "node", "mjs", "cjs", "jsx"],
        Kind::Program("javascript"),
    ),
    (&["ts", "typescript", "tsx"], Kind::Program("typescript")),
    (&["c", "h"], Kind::Program("c")),
    (&["cpp", "c++", "cxx", "cc", "hpp"], Kind::Program("cpp")),
    (&["cu", "cuda"], Kind::Program("cuda")),
    (&["rs", "rust"], Kind::Program("rust")),
    (&["go", "golang"], Kind::Program("go")),
    (&["java"], Kind::Program("java")),
    (&["kotlin", "kt"], Kind::Program("kotlin")),
    (&["scala"], Kind::Program("scala")),
    (&["rb", "ruby"], Kind::Program("ruby")),
    (&["pl", "perl"], Kind::Program("perl")),
    (&["php"], Kind::Program("php")),
    (&["r"], Kind::Program("r")),
    (&["jl", "julia"], Kind::Program("julia")),
    (&["lua"], Kind::Program("lua")),
    (&["swift"], Kind::Program("swift")),
    (&["cs", "csharp", "c#"], Kind::Program("csharp")),
    (&["fortran", "f90"], Kind::Program("fortran")),
    (&["hs", "haskell"], Kind::Program("haskell")),
    (&["ex", "elixir"], Kind::Program("elixir")),
    (&["powershell", "ps1", "pwsh"], Kind::Program("powershell")),
    (&["sql"], Kind::Program("sql")),
    (
        &["pytb", "py3tb", "traceback", "stacktrace"],
        Kind::Traceback,
    ),
    (&["diff", "patch", "udiff"], Kind::Diff),
    (
        &[
            "log",
            "logs",
            "output",
            "out",
            "stdout",
            "stderr",
            "text",
            "txt",
            "plain",
            "plaintext",
            "none",
            "error",
        ],
        Kind::Output,
    ),
    (
        &[
            "json",
            "yaml",
            "yml",
            "toml",
            "ini",
            "xml",
            "html",
            "css",
            "csv",
            "cfg",
            "conf",
            "properties",
            "md",
            "markdown",
            "rst",
            "dockerfile",
            "docker",
            "makefile",
            "cmake",
        ],
        Kind::Data,
    ),
];

/// Tells what a block is from the word behind its fence and its content.
pub(super) fn kind(info: Option<&str>, code: &str) -> Kind {
    match (info.and_then(named), looks_like(code)) {
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
    WORDS
        .iter()
        .find(|(words, _)| words.contains(&word.as_str()))
        .map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::{Kind, WORDS, kind};

    #[test]
    fn a_word_means_one_thing() {
        let mut words: Vec<&str> = WORDS
            .iter()
            .flat_map(|(words, _)| *words)
            .copied()
            .collect();
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
        assert!(words.iter().all(|word| word.to_lowercase() == **word));
    }

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
}
