//! Signatures as `ssh-keygen -Y sign` writes them (OpenSSH 9.2, PROTOCOL.sshsig).
//!
//! They are read here to say whose key signed what, and so that one signature has one spelling: `ssh-keygen` passes over
//! parts of a file that nothing protects. Whether a signature holds is for `ssh-keygen` to say.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::system::digest;

/// The largest file of a signature, in bytes: one of a certificate of an RSA key fits many times.
pub(super) const MAX_BYTES: u64 = 64 << 10;

/// What a signature is for: one that the same key made for another use is refused.
pub(crate) const NAMESPACE: &str = "legwork@verification";

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END: &str = "-----END SSH SIGNATURE-----\n";
const MAGIC: &[u8] = b"SSHSIG";
const VERSION: u32 = 1;

/// A signature, as far as it says what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SshSignature {
    /// The fingerprint of the key, as `ssh-keygen -l` prints it.
    pub(super) key: String,
    /// What it is for.
    pub(super) namespace: String,
}

impl SshSignature {
    /// Reads the file of a signature; returns what is wrong with it where it is none.
    pub(super) fn parse(file: &[u8]) -> Result<Self, &'static str> {
        let blob = unarmored(file).ok_or("it is no SSH signature in armor")?;
        Self::of_blob(&blob).ok_or("its armor holds no SSH signature of version 1")
    }

    fn of_blob(blob: &[u8]) -> Option<Self> {
        let mut rest = blob.strip_prefix(MAGIC)?;
        let version = number(&mut rest)?;
        let key = text(&mut rest)?;
        let namespace = text(&mut rest)?;
        // Nothing is reserved yet, and what stands here is not signed.
        let reserved = text(&mut rest)?;
        let _hash = text(&mut rest)?;
        let _signature = text(&mut rest)?;
        (version == VERSION && reserved.is_empty() && rest.is_empty()).then(|| Self {
            key: format!("SHA256:{}", digest::sha256_base64(key)),
            namespace: String::from_utf8_lossy(namespace).into_owned(),
        })
    }
}

/// Returns what the armor holds, where it is spelled in the one way in which lines of one width spell it.
fn unarmored(file: &[u8]) -> Option<Vec<u8>> {
    let file = std::str::from_utf8(file).ok()?;
    let body = file.strip_prefix(BEGIN)?.strip_suffix(END)?;
    let width = body.find('\n')?;
    let blob = STANDARD.decode(body.replace('\n', "")).ok()?;
    let spelled: String = STANDARD
        .encode(&blob)
        .as_bytes()
        .chunks(width.max(1))
        .flat_map(|line| line.iter().copied().map(char::from).chain(['\n']))
        .collect();
    (spelled == body).then_some(blob)
}

/// Takes a number from the front.
fn number(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_be_bytes(*bytes))
}

/// Takes a text, of which the length stands before it, from the front.
fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest)?).ok()?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::SshSignature;

    /// Made by `ssh-keygen -Y sign -n legwork@verification` (OpenSSH 9.2) of the text `hello`.
    const SIGNATURE: &str = "-----BEGIN SSH SIGNATURE-----\n\
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgjRJG9R4iVHr3Q6W8Q/WNAGUDu0\n\
eH4A62SwRN3LS2glQAAAAUbGVnd29ya0B2ZXJpZmljYXRpb24AAAAAAAAABnNoYTUxMgAA\n\
AFMAAAALc3NoLWVkMjU1MTkAAABAgjfA1SF3YVVnKMI8uAJeHrDY7b9IEIwSartREFiBHQ\n\
O12xaA+4CTUFCcVzTmiY246/wNuTRlFZ27Yl4cDHwJAg==\n\
-----END SSH SIGNATURE-----\n";

    #[test]
    fn a_signature_says_whose_it_is_and_what_for() {
        let read = SshSignature::parse(SIGNATURE.as_bytes()).expect("a signature");
        assert_eq!(
            read.key,
            "SHA256:Vhc/K8gQnARbnMeS4Iatsv37a9eRPWLtkzB5RZ+9ZNM"
        );
        assert_eq!(read.namespace, super::NAMESPACE);
    }

    #[test]
    fn no_other_spelling_of_a_signature_is_taken() {
        let others = [
            SIGNATURE.replace('\n', "\r\n"),
            SIGNATURE.trim_end().to_owned(),
            format!("{SIGNATURE}\n"),
            format!("x{SIGNATURE}"),
            SIGNATURE.replacen("-----\n", "-----\n\n", 1),
            SIGNATURE.replace("-----\n", "----\n"),
            SIGNATURE.replace("U1NIU0lH", "U1NIU0lI"),
            String::new(),
        ];
        for other in others {
            assert!(SshSignature::parse(other.as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn hostile_blobs_are_no_signatures() {
        for blob in [
            &b"SSHSIG"[..],
            b"SSHSIG\0\0\0\x01\xff\xff\xff\xff",
            b"SSHSIG\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            b"SSHSIG\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01x\0\0\0\0\0\0\0\0",
            b"SSHSIG\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0more",
        ] {
            assert_eq!(SshSignature::of_blob(blob), None);
        }
    }
}
