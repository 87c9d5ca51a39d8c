//! An agent's log, read line by line.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Adapter, Event,
    excerpt::{SHORT, excerpt},
    report::{End, Report},
};

/// The summary of an agent's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Summary {
    /// Turns of the model; null where the agent does not report them.
    pub(crate) turns: Option<u64>,
    /// Tokens read, cached ones included; null where the agent did not report them.
    pub(crate) tokens_in: Option<u64>,
    /// Tokens written; null where the agent did not report them.
    pub(crate) tokens_out: Option<u64>,
    /// Tokens read from a cache, which are part of `tokens_in`; null where the agent did not report them.
    pub(crate) tokens_cached: Option<u64>,
    /// Cost in US dollars, as the agent computes it; null where it does not.
    pub(crate) cost_usd: Option<f64>,
    /// The agent's final message.
    pub(crate) final_message: Option<String>,
    /// The id of the agent's session, by which it can be resumed.
    pub(crate) session_id: Option<String>,
    /// The model it used.
    pub(crate) model: Option<String>,
    /// Tool calls it made.
    pub(crate) tool_calls: u64,
    /// Tools that were denied to it, by a person's absence or by a rule file, at most 20.
    pub(crate) denied: Vec<String>,
    /// Whether it succeeded; null where the log does not settle it.
    pub(crate) succeeded: Option<bool>,
    /// How it ended.
    pub(crate) end: End,
    /// Why `succeeded` is what it is, in one sentence.
    pub(crate) why: String,
    /// Lines read, empty ones left out.
    pub(crate) lines: u64,
    /// Lines among them that could not be read.
    pub(crate) unreadable_lines: u64,
    /// Whether parts of the log were left out: what is counted here is then the least that it may be.
    #[serde(default)]
    pub(crate) partial: bool,
}

/// An agent's log, read line by line. Only the summary is kept in memory, not the lines.
#[derive(Debug)]
pub(crate) struct Log {
    adapter: &'static dyn Adapter,
    sum: Report,
    last_text: Option<String>,
    tool_calls: u64,
    lines: u64,
    unreadable: u64,
    /// The names of the tools that were called, by the ids of the calls.
    called: BTreeMap<String, String>,
}

impl Log {
    /// Starts to read the log of an agent.
    pub(crate) fn new(adapter: &'static dyn Adapter) -> Self {
        Self {
            adapter,
            sum: Report::default(),
            last_text: None,
            tool_calls: 0,
            lines: 0,
            unreadable: 0,
            called: BTreeMap::new(),
        }
    }

    /// Reads one line of any length, with or without its end, and returns what happened.
    ///
    /// A line that cannot be read is counted and shown, and changes nothing else.
    pub(crate) fn read(&mut self, line: &[u8]) -> Vec<Event> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\n', '\r']);
        if text.trim().is_empty() {
            return Vec::new();
        }
        self.lines += 1;
        let Some(mut read) = self.adapter.read_line(text) else {
            self.unreadable += 1;
            return vec![Event::Unreadable {
                text: excerpt(text, SHORT),
            }];
        };
        self.called.append(&mut read.report.calls);
        for id in std::mem::take(&mut read.report.denied_calls) {
            let name = self.called.get(&id).map_or("", String::as_str);
            for event in &mut read.events {
                if let Event::Denied { name: place, .. } = event
                    && place.is_empty()
                {
                    name.clone_into(place);
                }
            }
            if !name.is_empty() {
                read.report.denied.push(name.to_owned());
            }
        }
        for event in &read.events {
            match event {
                Event::Text { text } => self.last_text = Some(text.clone()),
                Event::ToolUse { .. } => self.tool_calls += 1,
                Event::Started { .. }
                | Event::ToolResult { .. }
                | Event::Denied { .. }
                | Event::Error { .. }
                | Event::Usage { .. }
                | Event::Result { .. }
                | Event::Unreadable { .. } => {}
            }
        }
        self.sum.add(read.report);
        read.events
    }

    /// Returns the summary of the lines so far.
    pub(crate) fn summary(&self) -> Summary {
        let sum = &self.sum;
        let mut end = sum.end.unwrap_or(if self.adapter.reports_its_end() {
            End::Unfinished
        } else {
            End::Unreported
        });
        if end == End::ModelError && sum.unauthenticated {
            end = End::Unauthenticated;
        }
        if end == End::Completed && !sum.denied.is_empty() {
            end = End::Denied;
        }
        let why = match (end, &sum.why) {
            (End::Denied, _) => format!("{}: {}", end.reason(), sum.denied.join(", ")),
            (End::Completed | End::Unfinished | End::Unreported, _) | (_, None) => {
                end.reason().to_owned()
            }
            (_, Some(why)) => format!("{}: {why}", end.reason()),
        };
        Summary {
            turns: sum.turns,
            tokens_in: sum.tokens_in,
            tokens_out: sum.tokens_out,
            tokens_cached: sum.tokens_cached,
            cost_usd: sum.cost_usd,
            final_message: sum.message.clone().or_else(|| self.last_text.clone()),
            session_id: sum.session_id.clone(),
            model: sum.model.clone(),
            tool_calls: self.tool_calls,
            denied: sum.denied.clone(),
            succeeded: end.succeeded(),
            end,
            why,
            lines: self.lines,
            unreadable_lines: self.unreadable,
            partial: false,
        }
    }
}

/// Reads one line by itself.
pub(crate) fn decode(adapter: &'static dyn Adapter, line: &[u8]) -> Vec<Event> {
    Log::new(adapter).read(line)
}

/// Reads a whole log.
pub(crate) fn summarise<L: AsRef<[u8]>>(
    adapter: &'static dyn Adapter,
    lines: impl IntoIterator<Item = L>,
) -> Summary {
    let mut log = Log::new(adapter);
    for line in lines {
        log.read(line.as_ref());
    }
    log.summary()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{ADAPTERS, Event},
        Adapter, End, Log, decode, summarise,
    };

    fn adapter(name: &str) -> &'static dyn Adapter {
        <dyn Adapter>::named(name).expect("an adapter")
    }

    const RECORDED: [(&str, &str); 16] = [
        (
            "claude",
            include_str!("../../../tests/data/agents/claude/success.jsonl"),
        ),
        (
            "claude",
            include_str!("../../../tests/data/agents/claude/denied.jsonl"),
        ),
        (
            "claude",
            include_str!("../../../tests/data/agents/claude/turn_limit.jsonl"),
        ),
        (
            "claude",
            include_str!("../../../tests/data/agents/claude/cost_limit.jsonl"),
        ),
        (
            "claude",
            include_str!("../../../tests/data/agents/claude/refused.jsonl"),
        ),
        (
            "claude",
            include_str!("../../../tests/data/agents/claude/no_login.jsonl"),
        ),
        (
            "claude",
            include_str!("../../../tests/data/agents/claude/invalid_key.jsonl"),
        ),
        (
            "claude",
            include_str!("../../../tests/data/agents/claude/interrupted.jsonl"),
        ),
        (
            "claude",
            include_str!("../../../tests/data/agents/claude/terminated.jsonl"),
        ),
        (
            "codex",
            include_str!("../../../tests/data/agents/codex/success.jsonl"),
        ),
        (
            "codex",
            include_str!("../../../tests/data/agents/codex/failing_command.jsonl"),
        ),
        (
            "codex",
            include_str!("../../../tests/data/agents/codex/refused.jsonl"),
        ),
        (
            "codex",
            include_str!("../../../tests/data/agents/codex/no_login.jsonl"),
        ),
        (
            "codex",
            include_str!("../../../tests/data/agents/codex/invalid_key.jsonl"),
        ),
        (
            "codex",
            include_str!("../../../tests/data/agents/codex/interrupted.jsonl"),
        ),
        ("command", "building\nall good\n"),
    ];

    #[test]
    fn every_recorded_end_is_recognised() {
        let ends = [
            End::Completed,
            End::Denied,
            End::TurnLimit,
            End::CostLimit,
            End::ModelError,
            End::Unauthenticated,
            End::Unauthenticated,
            End::Interrupted,
            End::Unfinished,
            End::Completed,
            End::Completed,
            End::Unfinished,
            End::Unauthenticated,
            End::Unauthenticated,
            End::Unfinished,
            End::Unreported,
        ];
        for (number, ((name, log), end)) in RECORDED.into_iter().zip(ends).enumerate() {
            let summary = summarise(adapter(name), log.lines());
            assert_eq!(summary.end, end, "{number}: {summary:?}");
            assert_eq!(summary.succeeded, end.succeeded());
            assert_eq!(summary.unreadable_lines, 0, "{number}");
            assert_eq!(summary.session_id.is_some(), name != "command");
        }
    }

    #[test]
    fn a_log_cut_anywhere_is_unfinished_and_never_a_success() {
        for (name, log) in RECORDED {
            let lines: Vec<&str> = log.lines().collect();
            for end in 0..lines.len().saturating_sub(1) {
                let summary = summarise(adapter(name), &lines[..end]);
                assert_eq!(summary.succeeded, None, "{end} of {log}");
            }
        }
    }

    #[test]
    fn lines_that_cannot_be_read_are_counted_and_shown() {
        let mut log = Log::new(adapter("claude"));
        let huge = vec![b'x'; 10_000_000];
        for line in [
            &b"{\"type\":"[..],
            b"\xff\xfe\x1b[2Jgarbage",
            &huge,
            b"[]",
            b"7",
        ] {
            let events = log.read(line);
            let [Event::Unreadable { text }] = &events[..] else {
                panic!("{events:?}");
            };
            assert!(text.len() < 1000 && !text.contains('\u{1b}'));
        }
        assert!(log.read(b"\r\n").is_empty());
        let summary = log.summary();
        assert_eq!((summary.lines, summary.unreadable_lines), (5, 5));
        assert_eq!(summary.succeeded, None);
    }

    #[test]
    fn a_line_of_ten_megabytes_is_read_and_shown_in_short() {
        let line = format!(
            r#"{{"type":"assistant","message":{{"content":[{{"type":"text","text":"{}"}}]}}}}"#,
            "y".repeat(10_000_000)
        );
        let events = decode(adapter("claude"), line.as_bytes());
        let [Event::Text { text }] = &events[..] else {
            panic!("{} events", events.len());
        };
        assert!(text.contains("characters cut") && text.len() < 5000);
    }

    proptest! {
        #[test]
        fn no_line_is_fatal(line in proptest::collection::vec(any::<u8>(), 0..300)) {
            for adapter in ADAPTERS {
                decode(*adapter, &line);
            }
        }

        #[test]
        fn a_damaged_recording_is_never_fatal(which in 0..RECORDED.len(), at in 0.0_f64..1.0, byte in any::<u8>()) {
            let (name, log) = RECORDED[which];
            let mut bytes = log.as_bytes().to_vec();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a small file")]
            let place = (at * bytes.len() as f64) as usize;
            bytes[place] = byte;
            summarise(adapter(name), bytes.split(|byte| *byte == b'\n'));
        }
    }
}
