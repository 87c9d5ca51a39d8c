//! Calls `ssh-keygen` (OpenSSH 8.9 to 10): signing, and saying whether a signature holds.
//!
//! It is never let ask anybody: it is given an empty passphrase, and a program that fails in place of one that would ask.

use std::path::Path;

use super::{
    error::{Error, KeyFault},
    ssh_signature::NAMESPACE,
};
use crate::system::{
    files,
    process::{self, Exit, Invocation},
};

/// Bytes that are read of what it prints; a signature and a list of principals are small.
const OUTPUT_LIMIT: u64 = 256 << 10;

/// Returns the fingerprint of a key: of a private one, also of one with a passphrase, or of a `.pub` file.
pub(super) async fn fingerprint(key: &Path) -> Result<String, Error> {
    if !files::exists(key) {
        return Err(signing(key, KeyFault::NotFound, ""));
    }
    let exit = run(["-l", "-E", "sha256", "-f"], [key], b"").await?;
    let printed = exit.stdout_text();
    match printed.split(' ').nth(1) {
        Some(fingerprint) if exit.success() && fingerprint.starts_with("SHA256:") => {
            Ok(fingerprint.to_owned())
        }
        _ => Err(signing(key, KeyFault::NoKey, &exit.stderr_text())),
    }
}

/// Signs bytes, and returns the file of the signature.
pub(super) async fn sign(key: &Path, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let arguments = ["-Y", "sign", "-q", "-P", "", "-n", NAMESPACE, "-f"];
    let exit = run(arguments, [key], bytes).await?;
    if exit.success() && !exit.truncated {
        return Ok(exit.stdout);
    }
    let stderr = exit.stderr_text();
    Err(signing(key, fault(&stderr), &stderr))
}

/// Tells why a key did not sign from what `ssh-keygen` wrote to stderr (OpenSSH 9.2).
fn fault(stderr: &str) -> KeyFault {
    let signs = [
        ("UNPROTECTED PRIVATE KEY FILE", KeyFault::TooOpen),
        ("incorrect passphrase", KeyFault::Passphrase),
        ("agent refused operation", KeyFault::Refused),
        ("device not found", KeyFault::Refused),
        ("No private key found", KeyFault::NotInAgent),
        ("invalid format", KeyFault::NoKey),
        ("error in libcrypto", KeyFault::NoKey),
    ];
    signs
        .iter()
        .find(|(text, _)| stderr.contains(text))
        .map_or(KeyFault::Other, |(_, fault)| *fault)
}

fn signing(key: &Path, fault: KeyFault, stderr: &str) -> Error {
    Error::Signing {
        key: key.display().to_string(),
        fault,
        stderr: stderr.to_owned(),
    }
}

/// Returns whether a signature is one of these bytes, by whichever key; else what `ssh-keygen` wrote.
pub(super) async fn is_of(signature: &Path, bytes: &[u8]) -> Result<Result<(), String>, Error> {
    let arguments = ["-Y", "check-novalidate", "-n", NAMESPACE, "-s"];
    Ok(holds(&run(arguments, [signature], bytes).await?))
}

/// Lists who may sign with the key of a signature, as the list of allowed signers names them.
pub(super) async fn principals(signature: &Path, allowed: &Path) -> Result<Vec<String>, Error> {
    let exit = run(
        ["-Y", "find-principals"].map(Path::new),
        [Path::new("-s"), signature, Path::new("-f"), allowed],
        b"",
    )
    .await?;
    if !exit.success() {
        return Ok(Vec::new());
    }
    let printed = exit.stdout_text();
    Ok(printed
        .lines()
        .flat_map(|line| line.split(','))
        .map(|principal| principal.trim().to_owned())
        .filter(|principal| !principal.is_empty())
        .collect())
}

/// Returns whether somebody who may sign signed these bytes; else what `ssh-keygen` wrote.
pub(super) async fn verify(
    identity: &str,
    signature: &Path,
    allowed: &Path,
    bytes: &[u8],
) -> Result<Result<(), String>, Error> {
    let arguments = ["-Y", "verify", "-n", NAMESPACE, "-I", identity];
    let files = [Path::new("-s"), signature, Path::new("-f"), allowed];
    Ok(holds(&run(arguments, files, bytes).await?))
}

fn holds(exit: &Exit) -> Result<(), String> {
    if exit.success() {
        return Ok(());
    }
    let written = [exit.stdout_text(), exit.stderr_text()].concat();
    Err(written.trim().to_owned())
}

async fn run<A: AsRef<std::ffi::OsStr>, B: AsRef<std::ffi::OsStr>>(
    arguments: impl IntoIterator<Item = A>,
    files: impl IntoIterator<Item = B>,
    stdin: &[u8],
) -> Result<Exit, Error> {
    let invocation = Invocation::new("ssh-keygen")
        .args(arguments)
        .args(files)
        .env("LC_ALL", "C")
        .env("SSH_ASKPASS_REQUIRE", "force")
        .env("SSH_ASKPASS", "false")
        .stdin(stdin)
        .limit(OUTPUT_LIMIT)
        .look(true);
    process::run(invocation).await.map_err(|source| {
        if source.kind() == std::io::ErrorKind::NotFound {
            Error::KeygenMissing
        } else {
            Error::File {
                path: "ssh-keygen".to_owned(),
                reason: source.to_string(),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{KeyFault, fault};

    #[test]
    fn what_ssh_keygen_writes_says_why_a_key_does_not_sign() {
        let written = [
            (
                "Load key \"kp\": incorrect passphrase supplied to decrypt private key\n",
                KeyFault::Passphrase,
            ),
            (
                "@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\nNo private key found for \"k\"\n",
                KeyFault::TooOpen,
            ),
            (
                "No private key found for public key \"k.pub\"\n",
                KeyFault::NotInAgent,
            ),
            (
                "Couldn't sign message (signer): agent refused operation\n",
                KeyFault::Refused,
            ),
            ("Load key \"k\": invalid format\n", KeyFault::NoKey),
            ("something new\n", KeyFault::Other),
        ];
        for (stderr, expected) in written {
            assert_eq!(fault(stderr), expected, "{stderr}");
        }
    }
}
