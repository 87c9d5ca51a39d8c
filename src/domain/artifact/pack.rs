//! Reads what `pack.sh` prints (GNU tar 1.34): a list, and an archive that must hold exactly the files of the list.

use std::io::Read as _;

use super::{
    Error,
    manifest::{is_digest, printable},
    names,
};
use crate::{
    contract::JobId,
    system::{
        digest,
        machine::Machine,
        records::{Malformed, Record},
        reply::Reply,
    },
};

/// A file that came, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unpacked {
    /// The artifact's name.
    pub(super) name: String,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// Their digest.
    pub(super) sha256: String,
}

/// A file as the list announces it.
struct Announced {
    place: String,
    name: String,
    bytes: u64,
    sha256: String,
}

/// Reads an answer; nothing of it is written anywhere.
///
/// The archive must hold each announced file once, as a regular file, under its name and with its digest, and nothing
/// else. One that does not is refused as a whole.
pub(super) fn read(
    machine: &Machine,
    job_id: &JobId,
    asked: &[String],
    reply: &Reply,
) -> Result<Vec<Unpacked>, Error> {
    let garbled = |reason: &str| Error::Garbled {
        host: machine.name.to_string(),
        reason: reason.to_owned(),
        status: reply.status,
        stderr: reply.stderr.clone(),
    };
    if reply.status != 0 {
        return Err(garbled("the files were not packed"));
    }
    let (list, archive) = reply
        .split_body()
        .ok_or_else(|| garbled("the list of packed files has no end"))?;
    let announced = announcements(&list, asked).map_err(|error| garbled(&error.line))?;
    unpack(job_id, announced, archive)
}

fn announcements(list: &str, asked: &[String]) -> Result<Vec<Announced>, Malformed> {
    let mut announced: Vec<Announced> = Vec::new();
    for line in list.lines() {
        let record = Record::parse(line)?;
        match record.tag() {
            "packed" => {
                let one = announcement(&record)?;
                if !asked.contains(&one.place)
                    || announced.iter().any(|known| known.name == one.name)
                {
                    return Err(record.malformed("place"));
                }
                announced.push(one);
            }
            "gone" => {}
            _ => record.ignored(),
        }
    }
    Ok(announced)
}

fn announcement(record: &Record<'_>) -> Result<Announced, Malformed> {
    let place = record.text("place")?.to_owned();
    let name = names::name_of(&place).ok_or_else(|| record.malformed("place"))?;
    let sha256 = record.text("sha256")?.to_owned();
    if !is_digest(&sha256) {
        return Err(record.malformed("sha256"));
    }
    Ok(Announced {
        place,
        name,
        bytes: record.number("bytes")?,
        sha256,
    })
}

fn unpack(
    job_id: &JobId,
    mut announced: Vec<Announced>,
    archive: &[u8],
) -> Result<Vec<Unpacked>, Error> {
    let refuse = |name: &[u8], reason: &str| Error::Archive {
        job_id: job_id.clone(),
        name: printable(name),
        reason: reason.to_owned(),
    };
    let broken = |error: std::io::Error| refuse(b"", &error.to_string());
    let mut unpacked = Vec::new();
    let mut reader = tar::Archive::new(archive);
    for entry in reader.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path_bytes().into_owned();
        let place = announced
            .iter()
            .position(|one| one.place.as_bytes() == path);
        let Some(place) = place else {
            return Err(refuse(&path, "it was not asked for, or stands there twice"));
        };
        let wanted = announced.swap_remove(place);
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(refuse(&path, "it is not a regular file"));
        }
        if entry.size() != wanted.bytes {
            return Err(refuse(&path, "its size is not what was announced"));
        }
        let mut bytes = Vec::new();
        entry
            .by_ref()
            .take(wanted.bytes)
            .read_to_end(&mut bytes)
            .map_err(broken)?;
        if digest::sha256(&bytes) != wanted.sha256 {
            return Err(refuse(&path, "its digest is not what was announced"));
        }
        unpacked.push(Unpacked {
            name: wanted.name,
            bytes,
            sha256: wanted.sha256,
        });
    }
    match announced.first() {
        None => Ok(unpacked),
        Some(lacking) => Err(refuse(
            lacking.place.as_bytes(),
            "it was announced and is not there",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{Announced, unpack};
    use crate::{
        contract::{Code, Coded as _, JobId},
        system::digest,
    };

    fn announced(place: &str, bytes: &[u8]) -> Announced {
        Announced {
            place: place.to_owned(),
            name: place.to_owned(),
            bytes: bytes.len() as u64,
            sha256: digest::sha256(bytes),
        }
    }

    /// Makes an archive of entries, whose names are written as they are.
    fn archive(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, kind, bytes) in entries {
            let mut header = tar::Header::new_gnu();
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            if kind.is_symlink() || kind.is_hard_link() {
                header.set_link_name("/etc/passwd").unwrap();
            }
            header.set_cksum();
            builder.append(&header, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn an_archive_holds_exactly_what_was_announced() {
        use tar::EntryType::{Char, Directory, Fifo, Link, Regular, Symlink};
        let job_id = JobId::new("j").unwrap();
        let good = archive(&[("report.md", Regular, b"R"), ("repro.py", Regular, b"")]);
        let all = || vec![announced("report.md", b"R"), announced("repro.py", b"")];
        let unpacked = unpack(&job_id, all(), &good).unwrap();
        assert_eq!(unpacked[0].bytes, b"R");
        assert_eq!(unpacked.len(), 2);
        let wanted = || vec![announced("report.md", b"R")];
        for (what, bad) in [
            ("nothing", Vec::new()),
            ("out of the folder", archive(&[("../evil", Regular, b"R")])),
            ("absolute", archive(&[("/etc/evil", Regular, b"R")])),
            ("roundabout", archive(&[("./report.md", Regular, b"R")])),
            ("a soft link", archive(&[("report.md", Symlink, b"")])),
            ("a hard link", archive(&[("report.md", Link, b"")])),
            ("a folder", archive(&[("report.md", Directory, b"")])),
            ("a pipe", archive(&[("report.md", Fifo, b"")])),
            ("a device", archive(&[("report.md", Char, b"")])),
            ("other bytes", archive(&[("report.md", Regular, b"S")])),
            ("more bytes", archive(&[("report.md", Regular, b"RR")])),
            (
                "one twice",
                archive(&[("report.md", Regular, b"R"), ("report.md", Regular, b"R")]),
            ),
            (
                "one more",
                archive(&[("report.md", Regular, b"R"), ("x", Regular, b"")]),
            ),
            ("noise", vec![0x5a; 2048]),
            (
                "cut off",
                archive(&[("report.md", Regular, b"R")])[..512].to_vec(),
            ),
        ] {
            let refused = unpack(&job_id, wanted(), &bad).unwrap_err();
            assert_eq!(refused.code(), Code::ArtifactRefused, "{what}");
        }
    }
}
