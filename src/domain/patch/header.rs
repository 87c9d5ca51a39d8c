//! What stands before the lines of a file in a diff: its names, modes and the ranges of its hunks.

use super::{
    diff::{Change, Content, FileDiff, Hunk},
    path::{RawPath, unquote},
};

#[derive(Clone)]
pub(super) enum Side {
    Nothing,
    Path(RawPath),
}

#[derive(Default)]
pub(super) struct Header {
    pub(super) shared: Option<RawPath>,
    pub(super) change: Option<Change>,
    pub(super) old_mode: Option<u32>,
    pub(super) new_mode: Option<u32>,
    pub(super) old: Option<RawPath>,
    pub(super) new: Option<RawPath>,
    pub(super) before: Option<Side>,
    pub(super) after: Option<Side>,
}

impl Header {
    pub(super) fn into_file(self) -> Result<FileDiff, &'static str> {
        let name = |given: Option<RawPath>, side: Option<Side>| match (given, side) {
            (Some(given), Some(Side::Path(path))) if given != path => {
                Err("the names of a file contradict each other")
            }
            (Some(given), _) => Ok(Some(given)),
            (None, Some(Side::Path(path))) => Ok(Some(path)),
            (None, _) => Ok(self.shared.clone()),
        };
        let change = self.change.unwrap_or(Change::Modify);
        let missing = (
            matches!(self.before, Some(Side::Nothing)),
            matches!(self.after, Some(Side::Nothing)),
        );
        let old = name(self.old, self.before)?;
        let new = name(self.new, self.after)?;
        let change = match (change, missing) {
            (Change::Modify, (true, false)) => Change::Add,
            (Change::Modify, (false, true)) => Change::Delete,
            (change, _) => change,
        };
        let (old, new) = match change {
            Change::Add => (None, new),
            Change::Delete => (old, None),
            Change::Modify | Change::Mode | Change::Rename | Change::Copy => (old, new),
        };
        let complete = match change {
            Change::Add => new.is_some(),
            Change::Delete => old.is_some(),
            Change::Modify | Change::Mode | Change::Rename | Change::Copy => {
                old.is_some() && new.is_some()
            }
        };
        if !complete {
            return Err("the name of a file cannot be determined");
        }
        if change == Change::Modify && old != new {
            return Err("the names of a file contradict each other");
        }
        Ok(FileDiff {
            change,
            old,
            new,
            old_mode: self.old_mode,
            new_mode: self.new_mode,
            content: Content::Kept,
            added: 0,
            removed: 0,
        })
    }
}

pub(super) fn either<'a>(line: &'a [u8], one: &[u8], other: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(one).or_else(|| line.strip_prefix(other))
}

/// Returns where an unquoted name ends: git takes every white space but the blank and the tab for its end, and the tab
/// where more may follow it. A name that holds such a byte stands in quotes.
pub(super) fn end_of_name(text: &[u8], also: &[u8]) -> usize {
    text.iter()
        .position(|byte| matches!(byte, b'\r' | 0x0b | 0x0c) || also.contains(byte))
        .unwrap_or(text.len())
}

pub(super) fn strip_one(name: &[u8]) -> Option<&[u8]> {
    let slash = name.iter().position(|&byte| byte == b'/')?;
    Some(&name[slash + 1..])
}

/// Reads the one name that both sides of a `diff --git` line share; nothing where they differ.
pub(super) fn git_names(text: &[u8]) -> Option<RawPath> {
    let same = |one: &[u8], other: &[u8]| {
        let (one, other) = (strip_one(one)?, strip_one(other)?);
        (one == other && !one.is_empty()).then(|| RawPath::new(one))
    };
    if let Some((one, rest)) = unquote(text) {
        let rest = rest.strip_prefix(b" ")?;
        return match unquote(rest) {
            Some((other, _)) => same(&one, &other),
            None => same(&one, rest),
        };
    }
    text.iter()
        .enumerate()
        .filter(|&(_, &byte)| byte == b' ')
        .find_map(|(space, _)| {
            let (one, other) = (&text[..space], &text[space + 1..]);
            match unquote(other) {
                Some((other, _)) => same(one, &other),
                None => same(one, other),
            }
        })
}

pub(super) fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Reads the header of a hunk.
pub(super) fn hunk(line: &[u8]) -> Option<Hunk> {
    let rest = line.strip_prefix(b"@@ -")?;
    let end = rest.windows(3).position(|part| part == b" @@")?;
    let ranges = &rest[..end];
    let plus = ranges.windows(2).position(|part| part == b" +")?;
    let (old_start, old_lines) = range(&ranges[..plus])?;
    let (new_start, new_lines) = range(&ranges[plus + 2..])?;
    Some(Hunk {
        old_start,
        old_lines,
        new_start,
        new_lines,
        has_context: false,
        is_crlf: false,
    })
}

fn range(text: &[u8]) -> Option<(u64, u64)> {
    match text.iter().position(|&byte| byte == b',') {
        Some(comma) => Some((number(&text[..comma])?, number(&text[comma + 1..])?)),
        None => Some((number(text)?, 1)),
    }
}
