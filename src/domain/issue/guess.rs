//! What a block of code looks like, by its content alone.

use super::kind::Kind;

/// Tells what a text looks like, if it looks like anything.
pub(super) fn looks_like(code: &str) -> Option<Kind> {
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
