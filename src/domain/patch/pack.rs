//! Writes new objects as one pack (gitformat-pack, version 2).
//!
//! By hand, because `git pack-objects` opens every loose object four times to find out what it could reuse or make deltas
//! of, which for thousands of new files takes longer than all other steps together. A pack of whole objects is a list:
//! the kind, the size and the compressed bytes of each, and a checksum. git checks all of it when the pack is stored.

use std::path::Path;

use miniz_oxide::{deflate::compress_to_vec_zlib, inflate::decompress_to_vec_zlib_with_limit};

use crate::system::{digest, files};

/// The largest object that is read.
const MAX_OBJECT: usize = 512 << 20;

/// How hard to compress: git does it again, and better, when it packs the whole repository.
const LEVEL: u8 = 1;

/// Objects that were found in a folder of loose ones, as a pack.
pub(super) struct Pack {
    /// The ids of those that were found.
    pub(super) ids: Vec<String>,
    /// The pack.
    pub(super) bytes: Vec<u8>,
}

impl Pack {
    /// Packs those of some objects that lie in a folder; the others are where the folder borrows from.
    ///
    /// `format` says how objects are named: `sha1` or `sha256`. Returns the id of an object that cannot be read.
    pub(super) fn of(folder: &Path, ids: &[&str], format: &str) -> Result<Self, String> {
        let mut found = Vec::new();
        let mut bytes = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
        for id in ids {
            let unreadable = || format!("the object {id} cannot be read");
            let (start, rest) = id.split_at_checked(2).ok_or_else(unreadable)?;
            let place = folder.join(start).join(rest);
            if !files::exists(&place) {
                continue;
            }
            let packed =
                files::read_regular(&place, MAX_OBJECT as u64).map_err(|_| unreadable())?;
            let object =
                decompress_to_vec_zlib_with_limit(&packed, MAX_OBJECT).map_err(|_| unreadable())?;
            let end = memchr::memchr(0, &object).ok_or_else(unreadable)?;
            let kind = kind(&object[..end]).ok_or_else(unreadable)?;
            let content = &object[end + 1..];
            add_header(&mut bytes, kind, content.len());
            bytes.extend(compress_to_vec_zlib(content, LEVEL));
            found.push((*id).to_owned());
        }
        let count = u32::try_from(found.len()).map_err(|_| "too many objects".to_owned())?;
        bytes[8..12].copy_from_slice(&count.to_be_bytes());
        let checksum = match format {
            "sha256" => digest::sha256_bytes(&bytes).to_vec(),
            _ => digest::sha1_bytes(&bytes).to_vec(),
        };
        bytes.extend(checksum);
        Ok(Self { ids: found, bytes })
    }
}

/// Reads the kind of an object from its header.
fn kind(header: &[u8]) -> Option<u8> {
    match header.split(|&byte| byte == b' ').next()? {
        b"commit" => Some(1),
        b"tree" => Some(2),
        b"blob" => Some(3),
        _ => None,
    }
}

/// Adds the kind and the size of an object: four bits of the size with the kind, then seven a byte.
fn add_header(bytes: &mut Vec<u8>, kind: u8, size: usize) {
    let mut rest = size >> 4;
    let mut byte = kind << 4 | low_bits(size, 0x0f);
    while rest > 0 {
        bytes.push(byte | 0x80);
        byte = low_bits(rest, 0x7f);
        rest >>= 7;
    }
    bytes.push(byte);
}

fn low_bits(number: usize, mask: u8) -> u8 {
    (number & usize::from(mask)).to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::add_header;

    #[test]
    fn kinds_and_sizes_are_written_as_git_reads_them() {
        for (size, wanted) in [
            (0, &[0x30][..]),
            (15, &[0x3f]),
            (16, &[0xb0, 0x01]),
            (300, &[0xbc, 0x12]),
            (1 << 20, &[0xb0, 0x80, 0x80, 0x04]),
        ] {
            let mut bytes = Vec::new();
            add_header(&mut bytes, 3, size);
            assert_eq!(bytes, wanted, "{size}");
        }
    }
}
