//! The sealed result of a verification, as its host wrote it.
//!
//! The judged code runs as the same user as the judge and could write a file in its place. So the result ends in a digest
//! over the key, the text and the key again; what has no such end, or another one, says nothing.

use crate::{
    domain::{
        job::Tree,
        test_run::{self, Output, TestRun},
    },
    system::{
        digest,
        records::{Record, records},
    },
};

/// The most runs that are read.
const MOST_RUNS: usize = 400;

/// The longest text of a stop that is read, in characters.
const TEXT_CHARS: usize = 4000;

/// Where a check was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// In one of the four trees.
    Tree(Tree),
    /// In the whole tree without one hunk: the input that holds it.
    Without(usize),
}

/// One run of a check, as its host reported it.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    /// The number of the check.
    pub(super) check: usize,
    /// Where it was run.
    pub(super) side: Side,
    /// How it ended.
    pub(super) exit_code: i32,
    /// How long it took.
    pub(super) duration_ms: u64,
    /// SHA-256 of what it printed.
    pub(super) output_sha256: String,
    /// What it printed, the middle of much left out.
    pub(super) output: String,
    /// What that is read as.
    pub(super) read: TestRun,
}

/// What a verification wrote down.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    /// Why it went no further, in one word, and the tool's own words.
    pub(super) stop: Option<(String, String)>,
    /// The trees, by name.
    pub(super) trees: Vec<(String, String)>,
    /// The runs, in their order.
    pub(super) runs: Vec<Ran>,
    /// The files that are compared: path, and content before and after.
    pub(super) files: Vec<(String, Option<String>, Option<String>)>,
    /// The hunks that were taken away, by the number of their input.
    pub(super) hunks: Vec<usize>,
    /// Where it was run.
    pub(super) fingerprint: Vec<String>,
    /// Whether it came to its end.
    pub(super) is_done: bool,
}

/// Reads a result; nothing where its seal does not hold.
pub(super) fn read(text: &str, key: &str, commands: &[&str]) -> Option<Written> {
    let start = text.rfind("\nseal mac=")? + 1;
    let (body, seal) = text.split_at(start);
    let mac = seal.trim_end().strip_prefix("seal mac=")?;
    if digest::sha256(format!("{key}\n{body}{key}\n").as_bytes()) != mac {
        return None;
    }
    let mut written = Written::default();
    let mut reports: Vec<Vec<(String, Vec<u8>)>> = Vec::new();
    let mut raw: Vec<Raw> = Vec::new();
    for record in records(body) {
        match record.tag() {
            "stop" => {
                let reason = record.text("reason").unwrap_or_default().to_owned();
                let text = record.decoded("text").unwrap_or_default();
                written.stop = Some((reason, text.chars().take(TEXT_CHARS).collect()));
            }
            "tree" => {
                if let (Ok(name), Ok(id)) = (record.text("name"), record.text("id")) {
                    written.trees.push((name.to_owned(), id.to_owned()));
                }
            }
            "file" => {
                let content = |key| match record.text(key) {
                    Ok("-") | Err(_) => None,
                    Ok(_) => record.bytes(key).ok(),
                };
                let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                if let Ok(path) = record.decoded("path") {
                    let (before, after) = (content("before"), content("after"));
                    written
                        .files
                        .push((path, before.map(text), after.map(text)));
                }
            }
            "hunk" => written.hunks.extend(record.number::<usize>("input").ok()),
            "fingerprint" => {
                let text = record.decoded("text").unwrap_or_default();
                let lines = text.lines().take(50);
                written.fingerprint = lines.map(|line| line.chars().take(400).collect()).collect();
            }
            "run" if raw.len() < MOST_RUNS => {
                raw.extend(one(&record, written.hunks.last().copied()));
                reports.resize(raw.len(), Vec::new());
            }
            "report" => {
                if let (Some(of_run), Ok(name), Ok(text)) = (
                    reports.last_mut(),
                    record.decoded("name"),
                    record.bytes("text"),
                ) {
                    of_run.push((name, text));
                }
            }
            "done" => written.is_done = true,
            _ => record.ignored(),
        }
    }
    let runs = raw.into_iter().zip(reports).enumerate();
    written.runs = runs
        .map(|(at, (raw, reports))| {
            let command = commands.get(raw.check).copied().unwrap_or_default();
            raw.read(
                command,
                &digest::sha256(format!("{key} {}", at + 1).as_bytes()),
                &reports,
            )
        })
        .collect();
    Some(written)
}

/// A run before it is read.
struct Raw {
    check: usize,
    side: Side,
    exit_code: i32,
    duration_ms: u64,
    output_sha256: String,
    tree: String,
    output: String,
    events: String,
}

fn one(record: &Record<'_>, hunk: Option<usize>) -> Option<Raw> {
    let side = match record.text("tree").ok()? {
        "base" => Side::Tree(Tree::Base),
        "base_with_tests" => Side::Tree(Tree::BaseWithTests),
        "whole" => Side::Tree(Tree::Whole),
        "without_tests" => Side::Tree(Tree::WithoutTests),
        "hunk" => Side::Without(hunk?),
        _ => return None,
    };
    let text = |key| {
        let bytes = record.bytes(key).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Some(Raw {
        check: record.number("check").ok()?,
        side,
        exit_code: record.number("status").ok()?,
        duration_ms: record.number("ms").ok()?,
        output_sha256: record.text("sha256").ok()?.to_owned(),
        tree: text("at"),
        output: text("out"),
        events: text("events"),
    })
}

impl Raw {
    fn read(self, command: &str, key: &str, reports: &[(String, Vec<u8>)]) -> Ran {
        let read = test_run::read(&Output {
            command,
            tree: &self.tree,
            exit_code: self.exit_code,
            stdout: &self.output,
            stderr: "",
            events: Some(&self.events),
            key,
            reports,
        });
        Ran {
            check: self.check,
            side: self.side,
            exit_code: self.exit_code,
            duration_ms: self.duration_ms,
            output_sha256: self.output_sha256,
            output: self.output,
            read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::system::digest;

    fn sealed(body: &str, key: &str) -> String {
        let mac = digest::sha256(format!("{key}\n{body}{key}\n").as_bytes());
        format!("{body}seal mac={mac}\n")
    }

    const BODY: &str = "tree name=base id=0a\nrun check=0 tree=base_with_tests at=@Lw== status=1 ms=20 sha256=ab out=@cmVkCg== events=@\n\
        run check=0 tree=whole at=@Lw== status=0 ms=30 sha256=ab out=@ events=@\ndone\n";

    #[test]
    fn only_what_is_sealed_is_read() {
        let text = sealed(BODY, "key");
        let written = read(&text, "key", &["true"]).unwrap();
        assert!(written.is_done);
        assert_eq!((written.runs.len(), written.runs[0].exit_code), (2, 1));
        assert_eq!(written.runs[0].output, "red\n");
        assert!(read(&text, "other", &["true"]).is_none());
        assert!(read(BODY, "key", &["true"]).is_none());
        for at in 0..text.len() - 1 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(read(&changed, "key", &["true"]).is_none(), "{changed}");
        }
    }
}
