//! A program that stands in for legwork: it plays a part, and writes down what was done to it.
//!
//! It is this very program under another first argument, so that it is one process that starts no other, takes signals
//! as legwork does, and can stop a write in the middle of a character.
#![expect(
    clippy::disallowed_methods,
    reason = "what is written down here is gone before the call is over"
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

/// The first argument that makes this program a stand-in; its folder and the arguments it was called with follow.
pub(crate) const FLAG: &str = "--stand-in";

/// The file that says what to play.
const CAST: &str = "cast.json";

/// The folder of what was written down, a file for each call.
const CALLS: &str = "calls";

/// A line of a log, as floods are made of.
const LOG_LINE: &[u8] =
    b"{\"level\":\"DEBUG\",\"message\":\"still at it\",\"note\":\"this is a log, and no answer\"}\n";

/// All that may be called in one play.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cast {
    /// The calls that are expected; the first of them is for all that fits no other.
    pub(crate) roles: Vec<Role>,
    /// How many of the first calls end themselves before they read their input.
    pub(crate) unread: usize,
    /// The line that answers a signal that comes before it is clear which call this is.
    pub(crate) cancelled: String,
}

/// One call, and what comes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Role {
    /// The primitive that is called.
    pub(crate) primitive: String,
    /// Its input.
    pub(crate) input: Value,
    /// What to play each time; the last is played for ever.
    pub(crate) parts: Vec<Part>,
}

/// What to do in one call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Step by step.
    pub(crate) steps: Vec<Step>,
    /// What to do when a signal comes.
    pub(crate) on_signal: OnSignal,
}

/// One step of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Writes a text to standard error.
    Complain(String),
    /// Writes so many bytes of log lines to standard error.
    Flood(usize),
    /// Writes bytes of a text to standard output: those from `from` up to `to`.
    Print {
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
        /// Which role it played.
        role: usize,
    },
    /// It began to write to standard error.
    Complaining,
    /// All of that was taken.
    Complained,
    /// It began to write to standard output.
    Printing,
    /// All of that was taken.
    Printed,
    /// The line was taken to its end.
    Answered,
    /// Nobody would take what it wrote.
    NobodyReads,
    /// A signal came.
    Signalled(i32),
    /// It is about to end.
    Ending,
}

/// What happened in a call, with the times of [`clock::uptime`].
pub(crate) type Record = Vec<(Duration, Event)>;

/// Puts a stand-in for `program` named `legwork` into a folder, with what it is to play; returns the stand-in's path.
pub(crate) fn set_up(folder: &Path, program: &Path, cast: &Cast) -> io::Result<PathBuf> {
    let place = folder.join("bin");
    fs::create_dir_all(&place)?;
    fs::create_dir_all(folder.join(CALLS))?;
    fs::write(folder.join(CAST), serde_json::to_vec(cast)?)?;
    let path = place.join("legwork");
    let script = format!(
        "#!/bin/sh\nexec {} {FLAG} {} \"$@\"\n",
        quote(&program.to_string_lossy()),
        quote(&folder.to_string_lossy()),
    );
    fs::write(&path, script)?;
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(path)
}

/// Reads what was written down, call by call in the order in which they began.
pub(crate) fn records(folder: &Path) -> io::Result<Vec<Record>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder.join(CALLS))? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let record: Record = text
            .lines()
            // The last line of one that was killed while it wrote may be cut off.
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        if let Some((at, _)) = record.first() {
            found.insert((*at, path), record);
        }
    }
    Ok(found.into_values().collect())
}

/// A stand-in at work.
#[derive(Debug)]
pub(crate) struct StandIn {
    folder: PathBuf,
    cast: Cast,
    file: Arc<Mutex<File>>,
    stage: Arc<Mutex<Stage>>,
    print: Print,
}

/// Writes to standard output.
pub(crate) type Print = fn(&[u8]) -> io::Result<()>;

/// What a signal finds.
#[derive(Debug)]
struct Stage {
    on_signal: OnSignal,
    /// Whether somebody prints already, who then has the last word.
    taken: bool,
}

impl StandIn {
    /// Begins: from here on signals are written down and answered.
    pub(crate) fn begin(folder: &Path, arguments: &[String], print: Print) -> io::Result<Self> {
        let cast: Cast = serde_json::from_slice(&fs::read(folder.join(CAST))?)?;
        let pid = rustix::process::getpid().as_raw_pid();
        let own = folder
            .join(CALLS)
            .join(format!("{}-{pid}", clock::uptime().as_nanos()));
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(&own)?;
        let stand_in = Self {
            folder: folder.to_owned(),
            stage: Arc::new(Mutex::new(Stage {
                on_signal: OnSignal::Answer {
                    line: cast.cancelled.clone(),
                    after_ms: 0,
                },
                taken: false,
            })),
            cast,
            file: Arc::new(Mutex::new(file)),
            print,
        };
        stand_in.note(&Event::Started {
            pid,
            arguments: arguments.to_vec(),
        })?;
        stand_in.answer_signals()?;
        if stand_in.cast.unread > 0 && records(folder)?.len() <= stand_in.cast.unread {
            stand_in.die()?;
        }
        Ok(stand_in)
    }

    /// Takes what was asked, and returns what to play.
    pub(crate) fn asked(&self, primitive: &str, input: Result<Value, String>) -> io::Result<Part> {
        let role = self
            .cast
            .roles
            .iter()
            .position(|role| role.primitive == primitive && Ok(&role.input) == input.as_ref())
            .unwrap_or(0);
        let before = records(&self.folder)?
            .iter()
            .flatten()
            .filter(
                |(_, event)| matches!(event, Event::Asked { role: other, .. } if *other == role),
            )
            .count();
        let parts = self.cast.roles.get(role).map(|role| role.parts.as_slice());
        let part = parts
            .and_then(|parts| parts.get(before).or(parts.last()))
            .cloned()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "there is no part"))?;
        self.note(&Event::Asked {
            primitive: primitive.to_owned(),
            input,
            role,
        })?;
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        stage.on_signal.clone_from(&part.on_signal);
        Ok(part)
    }

    /// Plays a part, and returns the exit status.
    pub(crate) fn play(&self, part: &Part) -> io::Result<u8> {
        for step in &part.steps {
            match step {
                Step::Complain(text) => {
                    self.complain(|stderr| stderr.write_all(text.as_bytes()))?;
                }
                Step::Flood(bytes) => {
                    let piece = LOG_LINE.repeat(800);
                    self.complain(|stderr| {
                        (0..*bytes)
                            .step_by(piece.len())
                            .try_for_each(|_| stderr.write_all(&piece))
                    })?;
                }
                Step::Print { text, from, to } => {
                    self.take_the_stage();
                    self.note(&Event::Printing)?;
                    let bytes = text.as_bytes().get(*from..*to).unwrap_or_default();
                    if let Err(error) = (self.print)(bytes) {
                        self.note(&Event::NobodyReads)?;
                        return Err(error);
                    }
                    self.note(&Event::Printed)?;
                    if bytes.ends_with(b"\n") {
                        self.note(&Event::Answered)?;
                    }
                }
                Step::Pause(ms) => clock::stand_still(Duration::from_millis(*ms)),
                Step::Hang => loop {
                    clock::stand_still(Duration::from_secs(60));
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

    /// Writes to standard error, which may be closed: that is its reader's right.
    fn complain(&self, write: impl FnOnce(&mut io::Stderr) -> io::Result<()>) -> io::Result<()> {
        self.note(&Event::Complaining)?;
        let _closed = write(&mut io::stderr());
        self.note(&Event::Complained)
    }

    /// Keeps a signal from printing; where one came first, it has the last word.
    fn take_the_stage(&self) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        stage.taken = true;
    }

    fn note(&self, event: &Event) -> io::Result<()> {
        note(&self.file, event)
    }

    fn answer_signals(&self) -> io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let (stage, file, print) = (Arc::clone(&self.stage), Arc::clone(&self.file), self.print);
        std::thread::spawn(move || {
            for signal in signals.forever() {
                let _unwritten = note(&file, &Event::Signalled(signal));
                let found = stage.lock().unwrap_or_else(PoisonError::into_inner);
                let OnSignal::Answer { line, after_ms } = found.on_signal.clone() else {
                    continue;
                };
                // Nothing else is printed while this is held.
                if found.taken {
                    // What was just taken is still to be written down.
                    clock::stand_still(Duration::from_millis(100));
                } else {
                    clock::stand_still(Duration::from_millis(after_ms));
                    if print(line.as_bytes()).is_ok() {
                        let _unwritten = note(&file, &Event::Answered);
                    }
                }
                let _unwritten = note(&file, &Event::Ending);
                leave(128 + signal);
            }
        });
        Ok(())
    }
}

fn note(file: &Mutex<File>, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(&(clock::uptime(), event))?;
    line.push(b'\n');
    file.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .write_all(&line)
}

#[expect(clippy::exit, reason = "a signal ends the process from another thread")]
fn leave(status: i32) -> ! {
    std::process::exit(status)
}
