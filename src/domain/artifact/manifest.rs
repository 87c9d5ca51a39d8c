//! Reads what `list.sh` prints (dash 0.5.12, bash 5.2, busybox 1.35).

use super::{Error, Ignored, names};
use crate::{
    contract::{JobId, text},
    system::{
        machine::Machine,
        records::{Malformed, Record, records},
        reply::Reply,
    },
};

/// A file on the host that is an artifact by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// The artifact's name.
    pub(super) name: String,
    /// What it is: `file`, `link`, `folder`, `pipe`, `socket`, `device`, `unreadable`.
    pub(super) kind: String,
    /// Its size.
    pub(super) bytes: u64,
    /// Its digest; none where it is no file or too large.
    pub(super) sha256: Option<String>,
}

/// What lies in the folder of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The state line of the run.
    pub(super) state: Option<String>,
    /// The artifacts.
    pub(super) files: Vec<Listed>,
    /// What else there is, at most 100 of it.
    pub(super) ignored: Vec<Ignored>,
    /// How much else there is.
    pub(super) ignored_total: u64,
}

/// The most files that are taken from a host's list.
const MAX_FILES: usize = 2_000;

/// The most names of other things that are taken from it.
const MAX_IGNORED: usize = 100;

/// The longest name that a file system has, in bytes.
const MAX_NAME: usize = 255;

/// The programs that `list.sh` looks for.
const TOOLS: [&str; 8] = [
    "sha256sum",
    "tar",
    "base64",
    "tr",
    "wc",
    "head",
    "mktemp",
    "readlink",
];

/// What a name in the folder may stand for.
const KINDS: [&str; 7] = [
    "file",
    "link",
    "folder",
    "pipe",
    "socket",
    "device",
    "unreadable",
];

/// Reads the list of a job's files.
pub(super) fn read(machine: &Machine, job_id: &JobId, reply: &Reply) -> Result<Manifest, Error> {
    let host = || machine.name.to_string();
    let garbled = |reason: &str| Error::Garbled {
        host: host(),
        reason: reason.to_owned(),
        status: reply.status,
        stderr: reply.stderr.clone(),
    };
    if reply.status != 0 {
        return Err(garbled("the list was not made"));
    }
    let text = reply.text();
    for record in records(&text) {
        match record.tag() {
            "absent" => {
                return Err(Error::NoFolder {
                    job_id: job_id.clone(),
                    host: host(),
                });
            }
            "lacks" => {
                let tool = record
                    .word("tool", &TOOLS)
                    .map_err(|error| garbled(&error.line))?;
                return Err(Error::ToolMissing {
                    tool: tool.to_owned(),
                    host: host(),
                });
            }
            _ => {}
        }
    }
    parse(&text).map_err(|error| garbled(&error.line))
}

fn parse(text: &str) -> Result<Manifest, Malformed> {
    let mut manifest = Manifest::default();
    let mut whole = false;
    for line in text.lines() {
        let record = Record::parse(line)?;
        match record.tag() {
            "state" => {
                manifest.state = Some(record.decoded("line")?).filter(|line| !line.is_empty());
            }
            "file" => {
                let listed = file(&record)?;
                let known = manifest.files.iter().any(|one| one.name == listed.name);
                if known || manifest.files.len() == MAX_FILES {
                    return Err(record.malformed("place"));
                }
                manifest.files.push(listed);
            }
            "extra" => {
                let ignored = extra(&record)?;
                if manifest.ignored.len() < MAX_IGNORED {
                    manifest.ignored.push(ignored);
                }
            }
            "extras" => {
                manifest.ignored_total = record.number("count")?;
                whole = true;
            }
            _ => record.ignored(),
        }
    }
    if whole {
        Ok(manifest)
    } else {
        Err(Malformed::without("extras", text))
    }
}

fn file(record: &Record<'_>) -> Result<Listed, Malformed> {
    let name = names::name_of(record.text("place")?).ok_or_else(|| record.malformed("place"))?;
    let sha256 = record.optional_text("sha256")?.map(str::to_owned);
    if sha256.as_deref().is_some_and(|digest| !is_digest(digest)) {
        return Err(record.malformed("sha256"));
    }
    Ok(Listed {
        name,
        kind: record.word("kind", &KINDS)?.to_owned(),
        bytes: record.number("bytes")?,
        sha256,
    })
}

fn extra(record: &Record<'_>) -> Result<Ignored, Malformed> {
    let name = record.bytes("name")?;
    if name.len() > MAX_NAME {
        return Err(record.malformed("name"));
    }
    Ok(Ignored {
        name: printable(&name),
        kind: record.word("kind", &KINDS)?.to_owned(),
    })
}

/// Returns whether a text is a SHA-256 in lower-case hexadecimal.
pub(super) fn is_digest(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Makes a name show what it is: what is not UTF-8, or does not show, is escaped.
pub(super) fn printable(name: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in name.utf8_chunks() {
        shown.push_str(&text::escape(chunk.valid()));
        for byte in chunk.invalid() {
            shown.extend(std::ascii::escape_default(*byte).map(char::from));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{Manifest, printable, read};
    use crate::{
        contract::{Code, Coded as _, JobId, Name},
        system::{
            machine::{Machine, Transport},
            reply::Reply,
        },
    };

    fn parse(text: &str) -> Result<Manifest, super::Error> {
        let machine = Machine {
            name: Name::new("box").unwrap(),
            transport: Transport::Local,
            root: "legwork".to_owned(),
            path: Vec::new(),
            environment: Vec::new(),
            contain: true,
            gpu_locks: None,
        };
        let reply = Reply::of(text);
        read(&machine, &JobId::new("j").unwrap(), &reply)
    }

    #[test]
    fn a_list_is_read_and_anything_odd_refuses_all_of_it() {
        let digest = "0".repeat(64);
        let whole = format!(
            "state line=@bGVnd29yay1ydW4gdj0x\nfile place=control/agent.log kind=file bytes=3 sha256={digest}\n\
             file place=report.md kind=link bytes=0 sha256=-\nextra name=@YQpi kind=file\nlater x=1\nextras count=1\n"
        );
        let manifest = parse(&whole).unwrap();
        assert_eq!(manifest.state.as_deref(), Some("legwork-run v=1"));
        assert_eq!(manifest.files[0].name, "agent.log");
        assert_eq!(manifest.files[1].sha256, None);
        assert_eq!(manifest.ignored[0].name, "a\\nb");
        for bad in [
            "",
            "file place=../../etc/passwd kind=file bytes=1 sha256=-\n",
            "file place=runs/1/agent.log kind=file bytes=1 sha256=-\n",
            "file place=report.md kind=file bytes=-1 sha256=-\n",
            "file place=report.md kind=file bytes=1 sha256=zz\n",
            "file place=report.md kind=elsewhere bytes=1 sha256=-\n",
            "file place=report.md kind=link bytes=0 sha256=-\nfile place=report.md kind=link bytes=0 sha256=-\n",
            "extra name=@* kind=file\n",
            "lacks tool=this%20machine%20only%20has%20bsdtar\n",
            "\u{1b}hello\n",
        ] {
            let bad = format!(
                "{bad}{}",
                if bad.is_empty() {
                    ""
                } else {
                    "extras count=0\n"
                }
            );
            assert_eq!(
                parse(&bad).unwrap_err().code(),
                Code::HostScriptFailed,
                "{bad}"
            );
        }
        let cut = whole.replace("extras count=1\n", "");
        assert_eq!(parse(&cut).unwrap_err().code(), Code::HostScriptFailed);
        assert_eq!(
            parse("absent\n").unwrap_err().code(),
            Code::JobFolderMissing
        );
        assert_eq!(
            parse("lacks tool=tar\n").unwrap_err().code(),
            Code::HostToolMissing
        );
    }

    #[test]
    fn a_list_is_never_longer_than_it_may_be() {
        let flood = "extra name=@YQ== kind=file\n".repeat(400_000) + "extras count=400000\n";
        let manifest = parse(&flood).unwrap();
        assert_eq!(
            (manifest.ignored.len(), manifest.ignored_total),
            (100, 400_000)
        );
        let files: Vec<String> = (0..3_000)
            .map(|number| format!("file place=repro.a{number} kind=file bytes=1 sha256=-\n"))
            .collect();
        assert_eq!(
            parse(&(files.concat() + "extras count=0\n"))
                .unwrap_err()
                .code(),
            Code::HostScriptFailed
        );
        let long = format!("extra name={} kind=file\nextras count=1\n", "a".repeat(256));
        assert_eq!(parse(&long).unwrap_err().code(), Code::HostScriptFailed);
    }

    #[test]
    fn a_hostile_name_is_shown_harmless() {
        assert_eq!(
            printable("r\u{1b}[31m\u{202e}\u{e9} x".as_bytes()),
            "r\\u{1b}[31m\\u{202e}\u{e9} x"
        );
        assert_eq!(printable(&[b'a', 0xff, b'\n']), "a\\xff\\n");
    }
}
