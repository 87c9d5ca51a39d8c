//! A real terminal that a program runs on.

use std::{collections::BTreeSet, fs, process::Command};

use super::World;

/// What a call did on a terminal.
#[derive(Debug)]
pub(crate) struct Shown {
    /// What went to its standard output, which is a file.
    pub(crate) line: String,
    /// What went to its standard error, which is the terminal.
    pub(crate) screen: String,
    /// Its exit status.
    pub(crate) status: Option<i32>,
}

/// Prepares a call of legwork whose standard error is a terminal with that many columns, and `TERM` an `xterm`.
fn on_a_terminal(world: &World, columns: u16, arguments: &[&str], stdout: &str) -> Command {
    let mut program = format!(
        "stty cols {columns} rows 50; exec '{}'",
        env!("CARGO_BIN_EXE_legwork")
    );
    for argument in arguments {
        program.push_str(" '");
        program.push_str(&argument.replace('\'', r"'\''"));
        program.push('\'');
    }
    program.push_str(stdout);
    let mut command = world.command("script");
    command
        .args(["--quiet", "--return", "--command", &program, "/dev/null"])
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh");
    command
}

/// Calls legwork on a terminal, with variables beside those of the world.
pub(crate) fn show(
    world: &World,
    columns: u16,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> Shown {
    let kept = world.path("tmp/line");
    let redirection = format!(" >'{}'", kept.display());
    let output = on_a_terminal(world, columns, arguments, &redirection)
        .envs(variables.iter().copied())
        .output()
        .expect("script starts");
    Shown {
        line: fs::read_to_string(&kept).expect("what went to stdout"),
        screen: String::from_utf8(output.stdout).expect("the screen is UTF-8"),
        status: output.status.code(),
    }
}

/// Calls legwork with both standard output and standard error on one terminal, and returns what is on it.
pub(crate) fn show_both(world: &World, arguments: &[&str]) -> String {
    let output = on_a_terminal(world, 100, arguments, "")
        .output()
        .expect("script starts");
    String::from_utf8(output.stdout).expect("the screen is UTF-8")
}

/// Takes colours and looks out of a text, and returns them apart.
pub(crate) fn without_looks(text: &str) -> (String, BTreeSet<String>) {
    let mut plain = String::new();
    let mut looks = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        let (before, sequence) = rest.split_at(at);
        plain.push_str(before);
        let length = sequence[2..]
            .find(|c: char| !c.is_ascii_digit() && c != ';')
            .map_or(sequence.len(), |end| end + 3);
        looks.insert(sequence[..length].to_owned());
        rest = &sequence[length..];
    }
    plain.push_str(rest);
    (plain, looks)
}

/// Lists the characters in a text that a terminal would obey, ends of lines aside.
pub(crate) fn obeyed(text: &str) -> BTreeSet<char> {
    text.chars()
        .filter(|c| {
            (c.is_control() && !matches!(c, '\n' | '\r'))
                || ('\u{200b}'..='\u{200f}').contains(c)
                || ('\u{2028}'..='\u{202e}').contains(c)
                || ('\u{2060}'..='\u{206f}').contains(c)
                || matches!(c, '\u{61c}' | '\u{feff}')
        })
        .collect()
}
