//! A stub of legwork: it gives prepared responses, and records what was done to it.
//!
//! A harness that is being checked finds it in place of legwork. It is this very program under another first argument, so
//! that it is one process that starts no other, takes signals as legwork does, and can stop a write in the middle of a
//! character.
#![expect(
    clippy::disallowed_methods,
    reason = "what is recorded here is gone before the call is over"
)]

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use super::{clock, quote::quote};

/// The first argument that makes this program a stub; its folder and the arguments it was called with follow.
pub(crate) const FLAG: &str = "--stub";

/// The file with the script.
const SCRIPT: &str = "script.json";

/// The folder of the records, a file for each call.
const CALLS: &str = "calls";

/// A line of a log, as floods are made of.
const LOG_LINE: &[u8] =
    b"{\"level\":\"DEBUG\",\"message\":\"still at it\",\"note\":\"this is a log, and no answer\"}\n";

/// The calls that are expected, and the responses to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Script {
    /// The calls that are expected; the first of them stands for all that fits no other.
    pub(crate) calls: Vec<Call>,
    /// How many of the first calls end themselves before they read their input.
    pub(crate) unread: usize,
    /// The line that answers a signal that comes before it is clear which call this is.
    pub(crate) cancelled: String,
}

/// One expected call, and the responses to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Call {
    /// The primitive that is called.
    pub(crate) primitive: String,
    /// Its input.
    pub(crate) input: Value,
    /// The response to each try; the last is repeated for ever.
    pub(crate) responses: Vec<Response>,
}

/// What to do in one try of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Response {
    /// Step by step.
    pub(crate) steps: Vec<Step>,
    /// What to do when a signal comes.
    pub(crate) on_signal: OnSignal,
}

/// One step of a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Writes a text to stderr.
    Stderr(String),
    /// Writes so many bytes of log lines to stderr.
    StderrFlood(usize),
    /// Writes bytes of a text to stdout: those from `from` up to `to`.
    Stdout {
        /// The text.
        text: String,
        /// The first byte.
        from: usize,
        /// The byte after the last.
        to: usize,
    },
    /// Waits so many milliseconds.
    Pause(u64),
    /// Waits for a signal.
    Hang,
    /// Ends itself by a signal that nobody can catch.
    Die,
    /// Ends with an exit status.
    Exit(u8),
}

/// What to do when a signal comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnSignal {
    /// Answers with a line after so many milliseconds, and ends.
    Answer {
        /// The line.
        line: String,
        /// How long that takes.
        after_ms: u64,
    },
    /// Goes on.
    Ignore,
}

/// Something that happened in a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The process was there.
    Started {
        /// Its number.
        pid: i32,
        /// What it was called with.
        arguments: Vec<String>,
    },
    /// The input was read to its end.
    Asked {
        /// The primitive.
        primitive: String,
        /// The input as legwork would read it, or why legwork could not.
        input: Result<Value, String>,
        /// Which call of the script it counts as.
        call: usize,
    },
    /// It began to write to stderr.
    StderrBegun,
    /// All of that was read.
    StderrRead,
    /// It began to write to stdout.
    StdoutBegun,
    /// All of that was read.
    StdoutRead,
    /// The line was read to its end.
    Answered,
    /// Stdout was closed.
    StdoutClosed,
    /// A signal came.
    Signalled(i32),
    /// It is about to end.
    Ending,
}

/// What happened in a call, with the times of [`clock::uptime`].
pub(crate) type Record = Vec<(Duration, Event)>;

/// Puts a stub of `program` named `legwork` into a folder, with its script; returns the stub's path.
pub(crate) fn set_up(folder: &Path, program: &Path, script: &Script) -> io::Result<PathBuf> {
    let place = folder.join("bin");
    fs::create_dir_all(&place)?;
    fs::create_dir_all(folder.join(CALLS))?;
    fs::write(folder.join(SCRIPT), serde_json::to_vec(script)?)?;
    let path = place.join("legwork");
    let launcher = format!(
        "#!/bin/sh\nexec {} {FLAG} {} \"$@\"\n",
        quote(&program.to_string_lossy()),
        quote(&folder.to_string_lossy()),
    );
    fs::write(&path, launcher)?;
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(path)
}

/// Reads the records, call by call in the order in which they began.
pub(crate) fn records(folder: &Path) -> io::Result<Vec<Record>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder.join(CALLS))? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let record: Record = text
            .lines()
            // The last line of a stub that was killed while it wrote may be incomplete.
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        if let Some((at, _)) = record.first() {
            found.insert((*at, path), record);
        }
    }
    Ok(found.into_values().collect())
}

/// A stub at work.
#[derive(Debug)]
pub(crate) struct Stub {
    folder: PathBuf,
    script: Script,
    record: Arc<Mutex<File>>,
    signals: Arc<Mutex<SignalState>>,
    print: Print,
}

/// Writes to stdout.
pub(crate) type Print = fn(&[u8]) -> io::Result<()>;

/// What a signal does now.
#[derive(Debug)]
struct SignalState {
    on_signal: OnSignal,
    /// Whether a response is being written already, which a signal then leaves alone.
    writing: bool,
}

impl Stub {
    /// Begins: from here on signals are recorded and answered.
    pub(crate) fn begin(folder: &Path, arguments: &[String], print: Print) -> io::Result<Self> {
        let script: Script = serde_json::from_slice(&fs::read(folder.join(SCRIPT))?)?;
        let pid = rustix::process::getpid().as_raw_pid();
        let own = folder
            .join(CALLS)
            .join(format!("{}-{pid}", clock::uptime().as_nanos()));
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(&own)?;
        let stub = Self {
            folder: folder.to_owned(),
            signals: Arc::new(Mutex::new(SignalState {
                on_signal: OnSignal::Answer {
                    line: script.cancelled.clone(),
                    after_ms: 0,
                },
                writing: false,
            })),
            script,
            record: Arc::new(Mutex::new(file)),
            print,
        };
        stub.note(&Event::Started {
            pid,
            arguments: arguments.to_vec(),
        })?;
        stub.answer_signals()?;
        if stub.script.unread > 0 && records(folder)?.len() <= stub.script.unread {
            stub.die()?;
        }
        Ok(stub)
    }

    /// Takes what was asked, and returns the response to it.
    pub(crate) fn asked(
        &self,
        primitive: &str,
        input: Result<Value, String>,
    ) -> io::Result<Response> {
        let calls = &self.script.calls;
        let call = calls
            .iter()
            .position(|call| call.primitive == primitive && Ok(&call.input) == input.as_ref())
            .unwrap_or(0);
        let before = records(&self.folder)?
            .iter()
            .flatten()
            .filter(
                |(_, event)| matches!(event, Event::Asked { call: other, .. } if *other == call),
            )
            .count();
        let responses = calls.get(call).map(|call| call.responses.as_slice());
        let response = responses
            .and_then(|responses| responses.get(before).or(responses.last()))
            .cloned()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "there is no response"))?;
        self.note(&Event::Asked {
            primitive: primitive.to_owned(),
            input,
            call,
        })?;
        let mut signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner);
        signals.on_signal.clone_from(&response.on_signal);
        Ok(response)
    }

    /// Gives a response, and returns the exit code.
    pub(crate) fn respond(&self, response: &Response) -> io::Result<u8> {
        for step in &response.steps {
            match step {
                Step::Stderr(text) => {
                    self.write_stderr(|stderr| stderr.write_all(text.as_bytes()))?;
                }
                Step::StderrFlood(bytes) => {
                    let piece = LOG_LINE.repeat(800);
                    self.write_stderr(|stderr| {
                        (0..*bytes)
                            .step_by(piece.len())
                            .try_for_each(|_| stderr.write_all(&piece))
                    })?;
                }
                Step::Stdout { text, from, to } => {
                    self.begin_writing();
                    self.note(&Event::StdoutBegun)?;
                    let bytes = text.as_bytes().get(*from..*to).unwrap_or_default();
                    if let Err(error) = (self.print)(bytes) {
                        self.note(&Event::StdoutClosed)?;
                        return Err(error);
                    }
                    self.note(&Event::StdoutRead)?;
                    if bytes.ends_with(b"\n") {
                        self.note(&Event::Answered)?;
                    }
                }
                Step::Pause(ms) => clock::block(Duration::from_millis(*ms)),
                Step::Hang => loop {
                    clock::block(Duration::from_secs(60));
                },
                Step::Die => self.die()?,
                Step::Exit(status) => {
                    self.note(&Event::Ending)?;
                    return Ok(*status);
                }
            }
        }
        self.note(&Event::Ending)?;
        Ok(0)
    }

    fn die(&self) -> io::Result<()> {
        self.note(&Event::Ending)?;
        rustix::process::kill_process(rustix::process::getpid(), Signal::KILL)?;
        Ok(())
    }

    /// Writes to stderr, which its reader may have closed.
    fn write_stderr(
        &self,
        write: impl FnOnce(&mut io::Stderr) -> io::Result<()>,
    ) -> io::Result<()> {
        self.note(&Event::StderrBegun)?;
        let _closed = write(&mut io::stderr());
        self.note(&Event::StderrRead)
    }

    /// Keeps a signal from writing a line of its own; waits for ever where a signal came first.
    fn begin_writing(&self) {
        let mut signals = self.signals.lock().unwrap_or_else(PoisonError::into_inner);
        signals.writing = true;
    }

    fn note(&self, event: &Event) -> io::Result<()> {
        note(&self.record, event)
    }

    fn answer_signals(&self) -> io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let (state, record) = (Arc::clone(&self.signals), Arc::clone(&self.record));
        let print = self.print;
        std::thread::spawn(move || {
            for signal in signals.forever() {
                let _unwritten = note(&record, &Event::Signalled(signal));
                let found = state.lock().unwrap_or_else(PoisonError::into_inner);
                let OnSignal::Answer { line, after_ms } = found.on_signal.clone() else {
                    continue;
                };
                // Nothing else is written to stdout while this is locked.
                if found.writing {
                    // The record that the last piece was read is still to be written.
                    clock::block(Duration::from_millis(100));
                } else {
                    clock::block(Duration::from_millis(after_ms));
                    if print(line.as_bytes()).is_ok() {
                        let _unwritten = note(&record, &Event::Answered);
                    }
                }
                let _unwritten = note(&record, &Event::Ending);
                leave(128 + signal);
            }
        });
        Ok(())
    }
}

fn note(record: &Mutex<File>, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(&(clock::uptime(), event))?;
    line.push(b'\n');
    record
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .write_all(&line)
}

#[expect(clippy::exit, reason = "a signal ends the process from another thread")]
fn leave(status: i32) -> ! {
    std::process::exit(status)
}
