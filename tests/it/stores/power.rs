//! The power goes while services write: what was acknowledged is there afterwards.
//!
//! Two services write at once under `strace`, which notes every write, every wait for the disk and every answer in their
//! order. From these notes the files are made as a machine would find them that lost its power after an answer: what was waited for is
//! whole, and of what was written since any part may be there, or torn, or missing.

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::{
    invocations::{Numbers, seed},
    support::World,
};

/// How many hosts each service adds. It is enough for the log to be moved into the database while they write.
const CALLS: usize = 160;

/// What was done to a file and may be lost.
#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Cut(usize),
}

/// A file, as it is on the disk for certain, and what was done since.
#[derive(Clone, Default)]
struct File {
    durable: Vec<u8>,
    since: Vec<Change>,
}

impl File {
    /// Waits for the disk: the first so many changes can be lost no more.
    fn sync(&mut self, count: usize) {
        for change in self.since.drain(..count.min(self.since.len())) {
            apply(&mut self.durable, &change);
        }
    }

    /// Returns what may be found after the power went; each change since is there, in part there, or lost.
    fn found(&self, numbers: &mut Numbers) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for change in &self.since {
            match (numbers.below(3), change) {
                (0, _) => {}
                (1, Change::Write(place, written)) => {
                    let sectors = numbers.below(written.len() / 512 + 1);
                    let torn = Change::Write(*place, written[..sectors * 512].to_vec());
                    apply(&mut bytes, &torn);
                }
                (_, whole) => apply(&mut bytes, whole),
            }
        }
        bytes
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(place, written) => {
            let end = place + written.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*place..end].copy_from_slice(written);
        }
        Change::Cut(length) => bytes.resize(*length, 0),
    }
}

/// A call of the system in the notes: its name, its arguments, and what it returned.
struct Noted<'n> {
    name: &'n str,
    arguments: &'n str,
    returned: &'n str,
}

fn noted(line: &str) -> Option<Noted<'_>> {
    let (name, rest) = line.split_once('(')?;
    let (arguments, returned) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    Some(Noted {
        name,
        arguments,
        returned,
    })
}

/// Reads text in which each byte is written as `\x..`.
fn bytes(text: &str) -> Vec<u8> {
    let digits = |pair: &str| u8::from_str_radix(pair, 16).expect("two digits");
    text.split("\\x")
        .skip(1)
        .map(|pair| digits(&pair[..2]))
        .collect()
}

/// Returns the file that the first argument of a call names.
fn file_of(arguments: &str) -> String {
    let path = arguments
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    String::from_utf8_lossy(&bytes(path.expect("a path").0)).into_owned()
}

/// What the notes say, one after the other.
struct Disk<'w> {
    folder: &'w Path,
    files: HashMap<String, File>,
    /// Of each process that waits for the disk, how much of the file was written before it began to.
    waiting: HashMap<String, usize>,
    /// Hosts of which an answer said that they were added.
    acknowledged: Vec<String>,
    numbers: Numbers,
    /// How often the power went.
    cuts: usize,
    /// How much was lost then, over all cuts.
    lost: usize,
}

impl Disk<'_> {
    fn read(&mut self, notes: &str) {
        let mut begun: HashMap<&str, &str> = HashMap::new();
        for line in notes.lines() {
            let (process, rest) = line.split_once(' ').expect("a process");
            let rest = rest.trim_start();
            if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
                begun.insert(process, start);
                if is_sync(start) {
                    let written = self.file(start).map_or(0, |file| file.since.len());
                    self.waiting.insert(process.to_owned(), written);
                }
                continue;
            }
            let whole = match rest.split_once(" resumed>") {
                Some((_, end)) => format!("{}{end}", begun.remove(process).expect("its start")),
                None => rest.to_owned(),
            };
            if let Some(noted) = noted(&whole) {
                self.note(process, &noted);
            }
        }
    }

    fn file(&mut self, arguments: &str) -> Option<&mut File> {
        let path = file_of(arguments);
        let name = Path::new(&path).file_name()?.to_str()?;
        self.files.get_mut(name)
    }

    fn note(&mut self, process: &str, noted: &Noted<'_>) {
        let began_with = self.waiting.remove(process);
        if noted.returned.starts_with('-') {
            return;
        }
        match noted.name {
            "pwrite64" => {
                let mut parts = noted.arguments.rsplitn(3, ", ");
                let place = parts.next().expect("a place").parse().expect("a number");
                let text = parts.nth(1).expect("what is written");
                let written = bytes(text.split_once('"').expect("a quoted text").1);
                if let Some(file) = self.file(noted.arguments) {
                    file.since.push(Change::Write(place, written));
                }
            }
            "ftruncate" => {
                let length = noted.arguments.rsplit_once(", ").expect("a length").1;
                let length = length.parse().expect("a number");
                if let Some(file) = self.file(noted.arguments) {
                    file.since.push(Change::Cut(length));
                }
            }
            "fsync" | "fdatasync" => {
                if let Some(file) = self.file(noted.arguments) {
                    file.sync(began_with.unwrap_or(file.since.len()));
                }
            }
            "write" if noted.arguments.starts_with("1<") => {
                let text = noted.arguments.split_once('"').expect("a quoted text").1;
                self.answered(&String::from_utf8(bytes(text)).expect("text"));
            }
            _ => {}
        }
    }

    fn answered(&mut self, lines: &str) {
        for line in lines.lines() {
            let answer: Value = serde_json::from_str(line).expect("an answer");
            assert_eq!(answer["effect"], "applied", "{answer}");
            let name = answer["data"]["name"].as_str().expect("a name");
            self.acknowledged.push(name.to_owned());
        }
        self.cut();
    }

    /// Lets the power go, and looks at what is there afterwards.
    fn cut(&mut self) {
        let folder = self.folder.join(format!("cut-{}", self.cuts));
        fs::create_dir(&folder).expect("a folder");
        let mut names: Vec<&String> = self.files.keys().collect();
        names.sort();
        for name in names {
            let file = &self.files[name];
            let found = file.found(&mut self.numbers);
            fs::write(folder.join(name), found).expect("a file");
            self.lost += file.since.len();
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let found =
            Connection::open_with_flags(folder.join("legwork.db"), flags).expect("a database");
        let verdict: String = found
            .query_row("PRAGMA integrity_check(3)", [], |row| row.get(0))
            .expect("a verdict");
        assert_eq!(verdict, "ok", "after {} answers", self.acknowledged.len());
        let mut statement = found.prepare("SELECT name FROM hosts").expect("a table");
        let hosts: Vec<String> = statement
            .query_map([], |row| row.get(0))
            .expect("rows")
            .map(|name| name.expect("a name"))
            .collect();
        for name in &self.acknowledged {
            assert!(
                hosts.contains(name),
                "{name} was acknowledged and is lost in {}",
                folder.display()
            );
        }
        self.cuts += 1;
        drop(statement);
        drop(found);
        fs::remove_dir_all(folder).expect("it goes");
    }
}

fn is_sync(start: &str) -> bool {
    start.starts_with("fsync(") || start.starts_with("fdatasync(")
}

#[test]
fn what_was_acknowledged_is_there_after_the_power_went() {
    let world = World::new();
    world.legwork(["add-host", "--name", "first"]).ok();
    let home = world.path("state/legwork");
    let mut files = HashMap::new();
    for name in ["legwork.db", "legwork.db-wal"] {
        let durable = fs::read(home.join(name)).unwrap_or_default();
        files.insert(
            name.to_owned(),
            File {
                durable,
                since: Vec::new(),
            },
        );
    }
    for service in ["a", "b"] {
        let mut calls = String::new();
        for call in 0..CALLS {
            let input = json!({"name": format!("{service}{call}")});
            let line = json!({"id": call, "primitive": "add-host", "input": input});
            writeln!(calls, "{line}").expect("text");
        }
        fs::write(world.path(format!("calls-{service}")), calls).expect("a file");
    }
    let notes = world.path("notes");
    let script = format!(
        "'{0}' batch <calls-a >answers-a 2>/dev/null & '{0}' batch <calls-b >answers-b 2>/dev/null & wait",
        env!("CARGO_BIN_EXE_legwork")
    );
    let mut traced: Command = world.command("strace");
    let status = traced
        .args(["-f", "-y", "-xx", "-s", "1000000", "-o"])
        .arg(&notes)
        .args([
            "-e",
            "trace=pwrite64,write,fsync,fdatasync,ftruncate",
            "sh",
            "-c",
            &script,
        ])
        .current_dir(world.path(""))
        .stdin(Stdio::null())
        .status()
        .expect("strace starts");
    assert!(status.success(), "{status}");
    let cuts = world.path("cuts");
    fs::create_dir(&cuts).expect("a folder");
    let mut disk = Disk {
        folder: &cuts,
        files,
        waiting: HashMap::new(),
        acknowledged: Vec::new(),
        numbers: Numbers::new(seed()),
        cuts: 0,
        lost: 0,
    };
    disk.read(&fs::read_to_string(&notes).expect("the notes"));
    assert_eq!(disk.acknowledged.len(), 2 * CALLS);
    assert!(
        disk.lost > 0,
        "nothing was ever under way when the power went"
    );
}
