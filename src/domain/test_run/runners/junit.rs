//! `JUnit` XML, as recorded from pytest 9.2, vitest 4.1, jest-junit, mocha 12, Node.js 20, `CTest` 3.25 and nextest 0.9.148.

use roxmltree::{Document, Node, ParsingOptions};

use crate::domain::test_run::{
    model::{Reason, Runner, Source, TestResult},
    report::{Progress, Report},
};

/// The largest report that is read.
const MAX_BYTES: usize = 16 << 20;
/// Bytes in which the first element of a report starts.
const MAX_HEAD: usize = 8192;
/// The most elements and texts of a report that are read.
const MAX_NODES: u32 = 2_000_000;
/// The deepest nesting of suites that is followed.
const MAX_DEPTH: usize = 100;
/// The most signs of equality in a tag.
const MAX_ATTRIBUTES: usize = 2000;

/// Reads a report; `None` where it is none.
pub(in super::super) fn read(bytes: &[u8]) -> Option<Report> {
    let start = bytes
        .iter()
        .position(|byte| *byte == b'<')
        .unwrap_or(bytes.len());
    let head = &bytes[start..bytes.len().min(start + MAX_HEAD)];
    let is_ours = memchr::memmem::find(head, b"<testsuite").is_some();
    if !is_ours {
        return None;
    }
    let mut report = Report::new(Runner::Junit, Source::Report);
    if bytes.len() > MAX_BYTES || is_too_deep(bytes) {
        return Some(report);
    }
    let text = String::from_utf8_lossy(&bytes[start..]);
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let Ok(document) = Document::parse_with_options(&text, options) else {
        return Some(report);
    };
    report.progress = Progress::Finished;
    let mut reasons = Vec::new();
    let mut declared_failures = 0_u64;
    for node in document.descendants().filter(Node::is_element) {
        match node.tag_name().name() {
            "testcase" => case(&mut report, &mut reasons, node),
            "testsuite" | "testsuites"
                if node.parent_element().is_none() || node.has_tag_name("testsuite") =>
            {
                let of = |name: &str| {
                    node.attribute(name)
                        .and_then(|count| count.parse::<u64>().ok())
                        .unwrap_or(0)
                };
                declared_failures =
                    declared_failures.max(of("failures").saturating_add(of("errors")));
            }
            _ => {}
        }
    }
    let found = report.failed.saturating_add(report.errors);
    if declared_failures > 0 && found == 0 {
        report.nothing(Reason::ReportInconsistent);
    } else if report.failed == 0
        && report.errors > 0
        && let Some(reason) = reasons.into_iter().max()
    {
        report.nothing(reason);
    }
    Some(report)
}

/// The parser goes down by recursion and compares each attribute with those before it, so what nests too deep or has too
/// many attributes is not given to it.
fn is_too_deep(bytes: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut starts = memchr::memchr_iter(b'<', bytes).peekable();
    while let Some(at) = starts.next() {
        let tag = &bytes[at + 1..starts.peek().copied().unwrap_or(bytes.len())];
        match tag.first() {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(byte) if byte.is_ascii_alphabetic() => {
                let end = memchr::memchr(b'>', tag).unwrap_or(tag.len());
                let attributes = memchr::memchr_iter(b'=', &tag[..end]).count();
                depth += usize::from(!tag[..end].ends_with(b"/"));
                if depth > MAX_DEPTH || attributes > MAX_ATTRIBUTES {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

fn case(report: &mut Report, reasons: &mut Vec<Reason>, node: Node<'_, '_>) {
    let name = node.attribute("name").unwrap_or_default();
    let class = node.attribute("classname").unwrap_or_default();
    let full = if class.is_empty() || class == name || class == "test" {
        let suites: Vec<&str> = node
            .ancestors()
            .take(MAX_DEPTH)
            .filter(|one| one.has_tag_name("testsuite"))
            .filter_map(|one| one.attribute("name"))
            .filter(|suite| class == "test" && !suite.is_empty())
            .collect();
        suites
            .iter()
            .rev()
            .copied()
            .chain([name])
            .collect::<Vec<_>>()
            .join(" > ")
    } else {
        format!("{class}::{name}")
    };
    let child = |tag: &str| node.children().find(|child| child.has_tag_name(tag));
    let status = node.attribute("status").unwrap_or_default();
    let result = if child("failure").is_some() {
        TestResult::Failed
    } else if let Some(error) = child("error") {
        let message = error.attribute("message").unwrap_or_default();
        let text = error.text().unwrap_or_default();
        let is_setup =
            message.starts_with("failed on setup") || message.starts_with("collection failure");
        if is_setup {
            let is_missing =
                message.contains("ModuleNotFoundError") || text.contains("ModuleNotFoundError: ");
            reasons.push(if is_missing {
                Reason::ModuleMissing
            } else if message.starts_with("collection failure") {
                Reason::CollectionError
            } else {
                Reason::SetupFailed
            });
            TestResult::Errored
        } else {
            TestResult::Failed
        }
    } else if child("skipped").is_some() || matches!(status, "notrun" | "disabled" | "skipped") {
        TestResult::Skipped
    } else {
        TestResult::Passed
    };
    report.add(&full, result);
}
