//! The state line of a run, as its supervisor writes it, with the heartbeat at its end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    diff_note::{DiffNote, diff_notes},
    error::Error,
    protocol::PROTOCOL,
    state::State,
};
use crate::{
    contract::JobId,
    system::records::{Malformed, Record},
};

/// Longer lines are not read; the longest true one is some hundred bytes.
const LONGEST: usize = 64 * 1024;

/// The last second of the year 9999: no time of a host is later.
const LATEST: u64 = 253_402_300_799;

/// Whether the changes of the worktree were recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Changes {
    /// All of them are in `changes.diff`.
    Ok,
    /// Some are not in `changes.diff`: `diff_notes` and `changes.err` say which.
    Partial,
    /// They could not be; `changes.err` says why.
    Failed,
    /// None were asked for.
    None,
}

/// What keeps a run together, so that its end ends all that it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Contained {
    /// A pid namespace: nothing of it outlives its first process.
    PidNamespace,
    /// A control group: all in it is ended at once; a program of the same user may have left it.
    Cgroup,
    /// Nothing: its processes are looked for by what they have in common, and one that hides is not found.
    BestEffort,
}

impl Contained {
    /// Returns whether what was not found at the end is certainly not there.
    pub(crate) const fn is_certain(self) -> bool {
        match self {
            Self::PidNamespace | Self::Cgroup => true,
            Self::BestEffort => false,
        }
    }
}

/// The state line of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// The job.
    pub(crate) job: JobId,
    /// The number of the run.
    pub(crate) run: u32,
    /// Where it stands.
    pub(crate) state: State,
    /// The supervisor.
    pub(crate) sup: u32,
    /// The id of the boot in which the line was written.
    pub(crate) boot: String,
    /// When the agent was started, in seconds since the epoch by the host's clock.
    pub(crate) started: Option<u64>,
    /// When the run ended, by the host's clock.
    pub(crate) ended: Option<u64>,
    /// The exit status as a shell gives it: above 128 it may stand for a signal.
    pub(crate) exit: Option<i32>,
    /// The signal that the exit status stands for.
    pub(crate) signal: Option<i32>,
    /// Why it ended as it did, in one word.
    pub(crate) reason: Option<String>,
    /// Processes that did not end; none before the end, and where it cannot be known whether there are any.
    pub(crate) survivors: Option<Vec<u32>>,
    /// Whether the changes were recorded; none before the end.
    pub(crate) changes: Option<Changes>,
    /// What keeps the run together; none where no agent was started.
    pub(crate) contained: Option<Contained>,
    /// What was left out of the diff, and what in it is no text.
    pub(crate) diff_notes: Vec<DiffNote>,
    /// The line without its heartbeat; a waiting poll names it to say from which state it waits for a change.
    pub(crate) line: String,
}

impl Status {
    /// Returns what `poll.sh` takes to find the run's supervisor quickly.
    pub(super) fn hint(&self) -> String {
        if self.state.is_terminal() {
            "-".to_owned()
        } else {
            format!("{}@{}", self.sup, self.boot)
        }
    }
}

/// The heartbeat of a run, which stands at the end of its state line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Beat {
    /// The job.
    pub(crate) job: JobId,
    /// The number of the run.
    pub(crate) run: u32,
    /// When it was written, in seconds since the epoch by the host's clock.
    pub(crate) at: u64,
    /// Bytes in `agent.log`.
    pub(crate) log: u64,
    /// When the agent last wrote anything, by the host's clock; none where it never did.
    pub(crate) log_at: Option<u64>,
}

/// Reads a state line, as `supervise.sh` of protocol 2 writes it.
pub(crate) fn parse_state(line: &str) -> Result<Status, Error> {
    Ok(state_of(&state_record(line)?)?)
}

/// Reads a state line and the heartbeat at its end.
pub(super) fn parse_state_with_beat(line: &str) -> Result<(Status, Beat), Error> {
    let record = state_record(line)?;
    Ok((state_of(&record)?, beat_of(&record)?))
}

fn state_record(line: &str) -> Result<Record<'_>, Malformed> {
    if line.len() > LONGEST {
        return Err(Malformed::without("legwork-run", line));
    }
    Record::tagged("legwork-run", line)
}

/// Returns the protocol of a state line that this legwork does not read.
pub(super) fn foreign_protocol(line: &str) -> Option<(JobId, u32)> {
    let record = state_record(line).ok()?;
    let protocol = record.number("v").ok()?;
    (protocol != PROTOCOL).then_some((job_of(&record).ok()?, protocol))
}

fn state_of(record: &Record<'_>) -> Result<Status, Malformed> {
    if record.number::<u32>("v")? != PROTOCOL {
        return Err(record.malformed("v"));
    }
    let contained = record.one_of(
        "contained",
        &[
            ("-", None),
            ("pid_namespace", Some(Contained::PidNamespace)),
            ("cgroup", Some(Contained::Cgroup)),
            ("best_effort", Some(Contained::BestEffort)),
        ],
    )?;
    let changes = record.one_of(
        "diff",
        &[
            ("-", None),
            ("ok", Some(Changes::Ok)),
            ("partial", Some(Changes::Partial)),
            ("failed", Some(Changes::Failed)),
            ("none", Some(Changes::None)),
        ],
    )?;
    // Nothing here needs these, but a line without them is not a supervisor's.
    record.optional_number::<u32>("pid")?;
    record.optional_number::<u64>("start")?;
    record.number::<u64>("sup_start")?;
    record.plain("node")?;
    let reason = match record.optional_text("reason")? {
        Some(word) if !is_word(word) => return Err(record.malformed("reason")),
        reason => reason.map(str::to_owned),
    };
    let state = State::named(record.text("state")?).ok_or_else(|| record.malformed("state"))?;
    let survivors = match record.optional_text("survivors")? {
        Some("?") => None,
        None => state.is_terminal().then(Vec::new),
        Some(list) => Some(
            list.split(',')
                .map(str::parse)
                .collect::<Result<_, _>>()
                .map_err(|_| record.malformed("survivors"))?,
        ),
    };
    let ended = time(record, "ended")?;
    // An end without its time, or a time without an end, was written by nobody who knows either.
    if state.is_terminal() != ended.is_some() {
        return Err(record.malformed("ended"));
    }
    Ok(Status {
        job: job_of(record)?,
        run: record.number("run")?,
        state,
        sup: record.number("sup")?,
        boot: record.plain("boot")?,
        started: time(record, "started")?,
        ended,
        exit: record.optional_number("exit")?,
        signal: record.optional_number("signal")?,
        reason,
        survivors,
        changes,
        contained,
        // A supervisor of an earlier version says nothing of it.
        diff_notes: record
            .decoded("list")
            .map_or_else(|_| Vec::new(), |list| diff_notes(&list)),
        line: record
            .line()
            .split(" at=")
            .next()
            .unwrap_or_default()
            .to_owned(),
    })
}

fn beat_of(record: &Record<'_>) -> Result<Beat, Malformed> {
    Ok(Beat {
        job: job_of(record)?,
        run: record.number("run")?,
        at: time(record, "at")?.ok_or_else(|| record.malformed("at"))?,
        log: record.number("log")?,
        log_at: time(record, "log_at")?.filter(|&at| at != 0),
    })
}

/// Reads a time by the host's clock, in seconds since the epoch; nothing where it is `-`.
fn time(record: &Record<'_>, key: &'static str) -> Result<Option<u64>, Malformed> {
    let time = record.optional_number(key)?;
    if time.is_some_and(|time| time > LATEST) {
        return Err(record.malformed(key));
    }
    Ok(time)
}

fn job_of(record: &Record<'_>) -> Result<JobId, Malformed> {
    JobId::new(record.text("job")?).map_err(|_| record.malformed("job"))
}

fn is_word(text: &str) -> bool {
    text.len() <= 64
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        Changes, Contained, Error, State, foreign_protocol, parse_state, parse_state_with_beat,
    };

    // Recorded from supervise.sh of protocol 2 under dash 0.5.12.
    const RUNNING: &str = "legwork-run v=2 job=ok run=1 state=running pid=19681 pgid=19681 start=227058 sup=19668 sup_start=227055 boot=dc99ba1b-a946-42e5-a1b4-829b63fdce30 node=vm.3d1219c7 started=1795181331 ended=- exit=- signal=- reason=- survivors=- diff=- contained=pid_namespace";
    const CANCELLED: &str = "legwork-run v=2 job=stub run=1 state=cancelled pid=20164 pgid=20164 start=227563 sup=20135 sup_start=227559 boot=dc99ba1b-a946-42e5-a1b4-829b63fdce30 node=vm.3d1219c7 started=1795181336 ended=1795181338 exit=137 signal=9 reason=cancel_requested survivors=7,8 diff=none contained=best_effort";

    #[test]
    fn a_recorded_line_is_read() {
        let status = parse_state(RUNNING).expect("a state line");
        assert_eq!(status.state, State::Running);
        assert_eq!(status.sup, 19668);
        assert_eq!((status.exit, status.changes), (None, None));
        assert_eq!(status.contained, Some(Contained::PidNamespace));
        assert_eq!(status.survivors, None);
        assert_eq!(status.hint(), "19668@dc99ba1b-a946-42e5-a1b4-829b63fdce30");

        let status = parse_state(CANCELLED).expect("a state line");
        assert_eq!(status.state, State::Cancelled);
        assert_eq!(status.survivors.as_deref(), Some(&[7, 8][..]));
        for (survivors, known) in [("-", Some(Vec::new())), ("?", None)] {
            let line = CANCELLED.replace("survivors=7,8", &format!("survivors={survivors}"));
            assert_eq!(parse_state(&line).expect("a state line").survivors, known);
        }
        assert_eq!((status.exit, status.signal), (Some(137), Some(9)));
        assert_eq!(status.changes, Some(Changes::None));
        assert_eq!(status.hint(), "-");
    }

    #[test]
    fn the_heartbeat_at_the_end_of_a_state_line_is_no_part_of_the_state() {
        let line = format!("{RUNNING} at=1795181332 log=31 log_at=0\n");
        assert_eq!(parse_state(&line).expect("a state line").line, RUNNING);
        let (_, beat) = parse_state_with_beat(&line).expect("a heartbeat");
        assert_eq!((beat.at, beat.log, beat.log_at), (1_795_181_332, 31, None));
        let written = format!("{RUNNING} at=1795181332 log=31 log_at=1795181330");
        let (_, beat) = parse_state_with_beat(&written).expect("a heartbeat");
        assert_eq!(beat.log_at, Some(1_795_181_330));
        assert!(parse_state_with_beat(RUNNING).is_err());
    }

    #[test]
    fn a_line_of_another_protocol_is_known_as_one() {
        assert_eq!(foreign_protocol(RUNNING), None);
        for protocol in [1, 3, 900] {
            let line = format!("legwork-run v={protocol} job=ok run=1 later=x");
            let (job, found) = foreign_protocol(&line).expect("another protocol");
            assert_eq!((job.as_str(), found), ("ok", protocol));
        }
        for none in ["", "legwork-run v=x job=ok", "legwork-run v=3 job=../x"] {
            assert_eq!(foreign_protocol(none), None, "{none}");
        }
    }

    #[test]
    fn fields_added_later_are_ignored() {
        let more = format!("{RUNNING} colour=blue");
        assert!(parse_state(&more).is_ok());
    }

    #[test]
    fn the_field_at_fault_is_named() {
        for (from, to, field) in [
            ("v=2", "v=3", "v"),
            ("contained=pid_namespace", "contained=maybe", "contained"),
            ("job=ok", "job=../x", "job"),
            ("state=running", "state=done", "state"),
            ("survivors=-", "survivors=1,,2", "survivors"),
            ("reason=-", "reason=\u{fc}", "reason"),
            ("pid=19681 ", "pid=-1 ", "pid"),
            ("diff=-", "diff=", "diff"),
            ("node=vm.3d1219c7", "node=$(x)", "node"),
            (
                "started=1795181331",
                "started=18446744073709551615",
                "started",
            ),
            ("started=1795181331", "started=253402300800", "started"),
            ("state=running", "state=succeeded", "ended"),
            ("ended=-", "ended=1795181340", "ended"),
        ] {
            match parse_state(&RUNNING.replacen(from, to, 1)) {
                Err(Error::Record(malformed)) => assert_eq!(malformed.field, field),
                other => panic!("{to}: {other:?}"),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_is_a_panic(line in ".*") {
            prop_assert!(parse_state(&line).is_err());
            prop_assert!(parse_state_with_beat(&line).is_err());
        }

        #[test]
        fn no_damage_is_a_panic(at in 0..RUNNING.len(), length in 0..40_usize, put in ".{0,4}") {
            let end = (at + length).min(RUNNING.len());
            let damaged = format!("{}{put}{}", &RUNNING[..at], &RUNNING[end..]);
            if let Ok(status) = parse_state(&damaged) {
                prop_assert!(damaged.starts_with(&status.line));
            }
        }

        #[test]
        fn a_line_cut_short_is_refused(at in 0..RUNNING.len()) {
            prop_assert!(parse_state(&RUNNING[..at]).is_err());
        }
    }
}
