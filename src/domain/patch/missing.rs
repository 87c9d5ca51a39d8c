//! Recognises that git lacks an object, as it does in a partial or damaged clone.

use super::git::contains;

/// Returns whether git gave up because an object is not there (git 2.39 and 2.47, fetching switched off).
pub(super) fn is_object(stderr: &[u8]) -> bool {
    [
        &b"error: failed to read "[..],
        b"unable to read sha1 file",
        b"unable to read blob object",
        b"cannot read object",
        b"could not read object",
        b"unable to read tree",
        b"failed to unpack tree object",
        b"unable to find ",
        b"bad tree object",
        b"missing blob object",
        b"missing tree object",
        b"Could not read ",
        b"lazy fetching disabled",
        b"could not fetch ",
    ]
    .iter()
    .any(|sign| contains(stderr, sign))
}

#[cfg(test)]
mod tests {
    use super::is_object;

    #[test]
    fn what_git_prints_of_a_missing_object_is_no_conflict() {
        for stderr in [
            &b"error: failed to read web/w.txt\nerror: web/w.txt: patch does not apply\n"[..],
            b"fatal: unable to read tree (d564d0bc3dd917926892c55e3706cc116d5b165e)\n",
            b"fatal: failed to unpack tree object HEAD\n",
            b"warning: lazy fetching disabled; some objects may not be available\n",
        ] {
            assert!(is_object(stderr));
        }
        assert!(!is_object(
            b"error: patch failed: f.txt:2\nerror: f.txt: patch does not apply\n"
        ));
        assert!(!is_object(b"error: read.txt: does not exist in index\n"));
    }
}
