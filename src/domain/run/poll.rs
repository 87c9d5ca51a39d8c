//! The answers of the scripts of a run.

use super::{
    error::Error,
    status::{Beat, Status, foreign_protocol, parse_state, parse_state_with_beat},
};
use crate::{
    contract::JobId,
    system::{
        digest::Sha256,
        records::{Malformed, Record},
    },
};

/// A run that has no state yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The job.
    pub(crate) job: JobId,
    /// Whether its folder is there.
    pub(crate) dir: bool,
    /// Whether a supervisor has claimed the run.
    pub(crate) claim: bool,
}

/// The answer of `poll.sh`.
#[derive(Debug, Default)]
pub(crate) struct Poll {
    /// The host's clock, in seconds since the epoch.
    pub(crate) now: u64,
    /// The runs that have a state.
    pub(crate) statuses: Vec<Status>,
    /// Their heartbeats, in the same order.
    pub(crate) beats: Vec<Beat>,
    /// The runs that have none.
    pub(crate) missing: Vec<Missing>,
    /// Jobs whose supervisor was found gone; another one was called.
    pub(crate) unsupervised: Vec<JobId>,
    /// Jobs whose supervisor was found gone, where none that could be trusted lies on the host to be called.
    pub(crate) unattended: Vec<JobId>,
    /// Jobs whose states say that they have ended while their leaders live.
    pub(crate) disbelieved: Vec<JobId>,
    /// Jobs that a legwork of another protocol started.
    pub(crate) unsupported: Vec<JobId>,
    /// Jobs that another machine supervises, of which this one cannot tell more.
    pub(crate) elsewhere: Vec<JobId>,
    /// Lines that could not be read. The others stand all the same.
    pub(crate) garbled: Vec<Error>,
}

/// Reads the answer of `poll.sh`.
pub(crate) fn parse_poll(answer: &str) -> Result<Poll, Error> {
    let mut lines = answer.lines();
    let head = Record::tagged("legwork-poll", lines.next().unwrap_or_default())?;
    // When the machine was started, from the first line `btime` of /proc/stat (Linux 6.1).
    let started: u64 = answer
        .lines()
        .find_map(|line| line.strip_prefix("btime "))
        .and_then(|seconds| seconds.trim().parse().ok())
        .ok_or_else(|| Malformed::without("btime", answer))?;
    let uptime: u64 = head.number("uptime")?;
    head.plain("boot")?;
    let mut poll = Poll {
        now: started.saturating_add(uptime),
        ..Poll::default()
    };
    for line in lines.filter(|line| !is_of_the_machine(line)) {
        if let Err(error) = poll.add(line) {
            poll.garbled.push(error);
        }
    }
    Ok(poll)
}

/// Whether a line is one of /proc/stat, of which only the start is of use.
fn is_of_the_machine(line: &str) -> bool {
    let word = line.split(' ').next().unwrap_or_default();
    matches!(
        word.trim_end_matches(|c: char| c.is_ascii_digit()),
        "cpu"
            | "intr"
            | "ctxt"
            | "btime"
            | "processes"
            | "procs_running"
            | "procs_blocked"
            | "softirq"
            | "page"
            | "swap"
    )
}

impl Poll {
    fn add(&mut self, line: &str) -> Result<(), Error> {
        if line.starts_with("legwork-run ") {
            if let Some((job, _)) = foreign_protocol(line) {
                self.unsupported.push(job);
                return Ok(());
            }
            let (status, beat) = parse_state_with_beat(line)?;
            self.statuses.push(status);
            self.beats.push(beat);
            return Ok(());
        }
        let record = Record::parse(line)?;
        match record.tag() {
            "legwork-missing" => self.missing.push(missing(&record)?),
            "legwork-unsupervised" => self.unsupervised.push(subject(&record)?),
            "legwork-unattended" => self.unattended.push(subject(&record)?),
            "legwork-disbelieved" => self.disbelieved.push(subject(&record)?),
            "legwork-elsewhere" => self.elsewhere.push(subject(&record)?),
            _ => return Err(record.malformed("record").into()),
        }
        Ok(())
    }
}

/// Reads the answer of `start.sh` or `cancel.sh`: the run's state, or that it has none.
pub(crate) fn parse_answer(answer: &str) -> Result<Result<Status, Missing>, Error> {
    let line = answer
        .lines()
        .find(|line| line.starts_with("legwork-"))
        .ok_or_else(|| Malformed::without("legwork-run", answer))?;
    if line.starts_with("legwork-protocol ") {
        let record = Record::parse(line)?;
        return Err(Error::Protocol {
            job: subject(&record)?,
            protocol: record.number("protocol")?,
        });
    }
    if let Some((job, protocol)) = foreign_protocol(line) {
        return Err(Error::Protocol { job, protocol });
    }
    if line.starts_with("legwork-missing ") {
        Ok(Err(missing(&Record::parse(line)?)?))
    } else {
        parse_state(line).map(Ok)
    }
}

fn missing(record: &Record<'_>) -> Result<Missing, Malformed> {
    Ok(Missing {
        job: subject(record)?,
        dir: record.is("dir")?,
        claim: record.is("claim")?,
    })
}

/// Reads which job or verification a record is about; of a folder below a job's, the last part names it.
fn subject(record: &Record<'_>) -> Result<JobId, Malformed> {
    let folder = record.text("job")?;
    let name = folder.rsplit('/').next().unwrap_or(folder);
    JobId::new(name).map_err(|_| record.malformed("job"))
}

/// Digests the states known to the caller, in the order of the runs asked about; those without one are left out.
///
/// `poll.sh` makes the same of what it finds, and answers at once where the two differ.
pub(crate) fn digest<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = Sha256::default();
    let mut any = false;
    for line in lines {
        any = true;
        hasher.update(line.as_bytes());
        hasher.update(b"\n");
    }
    if any { hasher.finish() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{digest, parse_answer, parse_poll};

    #[test]
    fn one_bad_line_spoils_no_other() {
        // Recorded from poll.sh under dash 0.5.12, with a line of another's added.
        let poll = parse_poll(
            "legwork-poll uptime=1400 boot=dc99ba1b-a946-42e5-a1b4-829b63fdce30\n\
             cpu  1 2 3\ncpu0 1 2 3\nintr 5 0\nctxt 7\nbtime 1795180000\nprocesses 3\n\
             legwork-missing job=x dir=yes claim=no\n\
             legwork-unsupervised job=ok\n\
             legwork-unattended job=ok\n\
             legwork-run v=3 job=later run=1 other=x\n\
             Welcome to the cluster\n\
             legwork-run v=2 job=ok run=1 state=running pid=19681 pgid=19681 start=227058 sup=19668 sup_start=227055 boot=dc99ba1b-a946-42e5-a1b4-829b63fdce30 node=vm.3d1219c7 started=1795181331 ended=- exit=- signal=- reason=- survivors=- diff=- contained=cgroup at=1795181332 log=31 log_at=1795181330\n",
        )
        .expect("an answer");
        assert_eq!(poll.now, 1_795_181_400);
        assert_eq!(poll.missing.len(), 1);
        assert!(poll.missing[0].dir && !poll.missing[0].claim);
        assert_eq!((poll.unsupervised.len(), poll.unattended.len()), (1, 1));
        assert_eq!(poll.unsupported.len(), 1);
        assert_eq!((poll.statuses.len(), poll.beats.len()), (1, 1));
        assert_eq!(poll.garbled.len(), 1);
    }

    #[test]
    fn an_answer_without_its_line_is_none() {
        assert!(parse_poll("").is_err());
        assert!(parse_poll("legwork-missing job=x dir=yes claim=no\n").is_err());
        assert!(parse_answer("nohup: ignoring input\n").is_err());
    }

    #[test]
    fn the_digest_is_that_of_sha256sum() {
        // printf 'a\nb\n' | sha256sum (coreutils 9.1)
        assert_eq!(
            digest(["a", "b"]),
            "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2"
        );
        assert_eq!(digest([]), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_answer_is_a_panic(text in "(legwork-[a-z]{2,12} ?|job=|run=|[a-z0-9=,\\-]{0,9}|\n|.){0,60}") {
            drop(parse_poll(&text));
            drop(parse_answer(&text));
        }
    }
}
