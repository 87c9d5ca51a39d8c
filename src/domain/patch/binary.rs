//! How much a binary diff unpacks to, found out before git unpacks it.
//!
//! The problem: a few hundred bytes of a diff can stand for a gigabyte. A `literal` says its size and git holds it to
//! that. A `delta` says only how long the delta is; the size of the file that it makes stands inside the packed data,
//! and git reserves that much memory before it looks any further. So the beginning of each delta is unpacked here.

use miniz_oxide::inflate::{DecompressError, TINFLStatus, decompress_to_vec_zlib_with_limit};

/// Bytes that hold the two sizes at the beginning of a delta: seven bits a byte, 64 bits each.
const SIZES: usize = 20;

/// Reads the size of the file that a packed delta makes; nothing where it is no delta.
///
/// All of the packed bytes are wanted: what unpacks to nothing may stand in front of the sizes for as long as one likes.
pub(super) fn result_bytes(packed: &[u8]) -> Option<u64> {
    let delta = match decompress_to_vec_zlib_with_limit(packed, SIZES) {
        Ok(whole) => whole,
        Err(DecompressError {
            status: TINFLStatus::HasMoreOutput,
            output,
        }) => output,
        Err(_) => return None,
    };
    let mut bytes = delta.iter();
    size(&mut bytes)?;
    size(&mut bytes)
}

/// Reads a size: seven bits a byte, the lowest first, the highest bit says that more follow.
fn size<'a>(bytes: &mut impl Iterator<Item = &'a u8>) -> Option<u64> {
    let mut size = 0u64;
    let mut shift = 0u32;
    loop {
        let byte = *bytes.next()?;
        let part = u64::from(byte & 0x7f);
        // What does not fit is larger than any limit.
        let shifted = part.checked_shl(shift).filter(|it| it >> shift == part);
        size |= shifted.unwrap_or(if part == 0 { 0 } else { u64::MAX });
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(size);
        }
    }
}

/// Digits of git's base 85.
const DIGITS: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/// Unpacks a line of a binary diff: a letter for how many bytes it holds, then five digits for each four of them.
pub(super) fn line_bytes(line: &[u8]) -> Option<Vec<u8>> {
    let (&first, digits) = line.split_first()?;
    let length = match first {
        b'A'..=b'Z' => usize::from(first - b'A') + 1,
        b'a'..=b'z' => usize::from(first - b'a') + 27,
        _ => return None,
    };
    let mut bytes = Vec::with_capacity(length + 3);
    for group in digits.chunks(5) {
        let mut value = 0u32;
        for digit in group {
            let digit = DIGITS.iter().position(|one| one == digit)?;
            value = value
                .checked_mul(85)?
                .checked_add(u32::try_from(digit).ok()?)?;
        }
        if group.len() < 5 {
            return None;
        }
        bytes.extend(value.to_be_bytes());
    }
    (bytes.len() >= length).then(|| {
        bytes.truncate(length);
        bytes
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{line_bytes, result_bytes};

    #[test]
    fn the_size_of_what_a_delta_makes_is_read() {
        let delta = [0xa0, 0x9c, 0x01, 0x80, 0x80, 0x80, 0x80, 0x04, 0x90];
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(&delta, 6);
        assert_eq!(result_bytes(&packed), Some(1 << 30));
        let endless = miniz_oxide::deflate::compress_to_vec_zlib(&[0xff; 64], 6);
        assert_eq!(result_bytes(&endless), None);
        let huge = [
            0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
        ];
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(&huge, 6);
        assert_eq!(result_bytes(&packed), Some(u64::MAX));
        assert_eq!(result_bytes(b"no delta"), None);
    }

    #[test]
    fn a_line_is_unpacked_as_git_packs_it() {
        assert_eq!(line_bytes(b"B0000"), None);
        assert_eq!(line_bytes(b"A00000"), Some(vec![0]));
        assert_eq!(line_bytes(b"D|NsC0"), Some(vec![0xff; 4]));
        assert_eq!(line_bytes(b"!00000"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            drop(line_bytes(&bytes));
            let _: Option<u64> = result_bytes(&bytes);
        }
    }
}
