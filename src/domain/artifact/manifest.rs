//! Reads what `list.sh` prints (dash 0.5.12, bash 5.2, busybox 1.35).

use super::{Error, Ignored, names};
use crate::{
    contract::{JobId, text},
    system::{machine::Machine, script::Reply},
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

/// Reads the list of a job's files.
pub(super) fn read(
    machine: &Machine,
    job_id: &JobId,
    run: u32,
    reply: &Reply,
) -> Result<Manifest, Error> {
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
    let mut manifest = Manifest::default();
    let mut whole = false;
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "absent" => {
                return Err(Error::NoFolder {
                    job_id: job_id.clone(),
                    host: host(),
                });
            }
            "lacks" => {
                return Err(Error::ToolMissing {
                    tool: rest.to_owned(),
                    host: host(),
                });
            }
            "state" => manifest.state = Some(rest.to_owned()).filter(|line| !line.is_empty()),
            "file" => {
                let listed = file(rest, run).ok_or_else(|| garbled(line))?;
                if manifest.files.iter().any(|one| one.name == listed.name) {
                    return Err(garbled(line));
                }
                manifest.files.push(listed);
            }
            "extra" => {
                let ignored = extra(rest).ok_or_else(|| garbled(line))?;
                manifest.ignored.push(ignored);
            }
            "extras" => {
                manifest.ignored_total = rest.parse().map_err(|_| garbled(line))?;
                whole = true;
            }
            _ => return Err(garbled(line)),
        }
    }
    if whole {
        Ok(manifest)
    } else {
        Err(garbled("the list has no end"))
    }
}

fn file(text: &str, run: u32) -> Option<Listed> {
    let mut words = text.split(' ');
    let name = names::name_of(words.next()?, run)?;
    let kind = words.next()?.strip_prefix("kind=")?.to_owned();
    let bytes = words.next()?.strip_prefix("bytes=")?.parse().ok()?;
    let sha256 = match words.next()?.strip_prefix("sha256=")? {
        "-" => None,
        digest if is_digest(digest) => Some(digest.to_owned()),
        _ => return None,
    };
    words.next().is_none().then_some(Listed {
        name,
        kind,
        bytes,
        sha256,
    })
}

/// Returns whether a text is a SHA-256 in lower-case hexadecimal.
pub(super) fn is_digest(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn extra(text: &str) -> Option<Ignored> {
    let (name, kind) = text.split_once(" kind=")?;
    let bytes: Option<Vec<u8>> = name
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    Some(Ignored {
        name: printable(&bytes?),
        kind: kind.to_owned(),
    })
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
            machine::{Machine, Reach},
            script::Reply,
        },
    };

    fn parse(text: &str) -> Result<Manifest, super::Error> {
        let machine = Machine {
            name: Name::new("box").unwrap(),
            reach: Reach::Local,
            root: "legwork".to_owned(),
            path: Vec::new(),
        };
        let reply = Reply {
            stdout: text.as_bytes().to_vec(),
            stderr: String::new(),
            status: 0,
        };
        read(&machine, &JobId::new("j").unwrap(), 1, &reply)
    }

    #[test]
    fn a_list_is_read_and_anything_odd_refuses_all_of_it() {
        let digest = "0".repeat(64);
        let whole = format!(
            "state legwork-run v=1\nfile runs/1/agent.log kind=file bytes=3 sha256={digest}\nfile report.md kind=link bytes=0 sha256=-\nextra 610a62 kind=file\nextras 1\n"
        );
        let manifest = parse(&whole).unwrap();
        assert_eq!(manifest.state.as_deref(), Some("legwork-run v=1"));
        assert_eq!(manifest.files[0].name, "agent.log");
        assert_eq!(manifest.files[1].sha256, None);
        assert_eq!(manifest.ignored[0].name, "a\\nb");
        for bad in [
            String::new(),
            "file ../../etc/passwd kind=file bytes=1 sha256=-\nextras 0\n".to_owned(),
            "file runs/2/agent.log kind=file bytes=1 sha256=-\nextras 0\n".to_owned(),
            "file report.md kind=file bytes=-1 sha256=-\nextras 0\n".to_owned(),
            "file report.md kind=file bytes=1 sha256=zz\nextras 0\n".to_owned(),
            "file report.md kind=file bytes=1 sha256=- x\nextras 0\n".to_owned(),
            "file report.md kind=link bytes=0 sha256=-\nfile report.md kind=link bytes=0 sha256=-\nextras 0\n".to_owned(),
            "extra zz kind=file\nextras 1\n".to_owned(),
            "hello\nextras 0\n".to_owned(),
            whole.replace("extras 1\n", ""),
        ] {
            assert_eq!(parse(&bad).unwrap_err().code(), Code::HostScriptFailed, "{bad}");
        }
        assert_eq!(
            parse("absent\n").unwrap_err().code(),
            Code::JobFolderMissing
        );
        assert_eq!(
            parse("lacks tar\n").unwrap_err().code(),
            Code::HostToolMissing
        );
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
