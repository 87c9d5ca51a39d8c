//! Reads what git prints about a diff that does not apply (recorded from git 2.39.5 and 2.47.3, which print the same).

use memchr::memmem;

use super::{
    Patch,
    git::{contains, text},
};
use crate::contract::details::Conflicted;

/// Returns whether `git apply` gave up because the text is no diff to it.
pub(super) fn is_unreadable(stderr: &[u8]) -> bool {
    [
        &b"corrupt "[..],
        b"No valid patches",
        b"invalid path",
        b"unrecognized ",
        b"git diff header ",
        b"without full index line",
        b"without header",
        b"inconsistent ",
        b"only garbage",
        b"bad git-diff",
        b"invalid mode",
        b"garbage at end",
        b"cannot read the patch",
    ]
    .iter()
    .any(|sign| contains(stderr, sign))
}

/// Lists the files that `git apply` names on stderr, with the first hunk of each that does not apply.
///
/// git names no second hunk of a file once one failed. Names may hold line breaks, so each file of the diff is looked
/// for in the text, rather than the text being cut into names.
pub(super) fn read(stderr: &[u8], patch: &Patch) -> Vec<Conflicted> {
    let mut files = Vec::new();
    for file in &patch.files {
        for path in [&file.old, &file.new].into_iter().flatten() {
            let name = path.bytes();
            let failed_at = after(stderr, &[b"error: patch failed: ", name, b":"]);
            let line = failed_at.and_then(|rest| {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                text(&rest[..digits]).parse::<u64>().ok()
            });
            let reason = after(stderr, &[b"error: ", name, b": "])
                .or_else(|| after(stderr, &[b"error: the patch applies to '", name, b"' "]))
                .or_else(|| after(stderr, &[b"error: affected file '", name, b"' "]))
                .or_else(|| {
                    after(
                        stderr,
                        &[b"error: cannot apply binary patch to '", name, b"' "],
                    )
                });
            let Some(reason) = reason
                .map(first_line)
                .or_else(|| failed_at.map(|_| "patch does not apply".to_owned()))
            else {
                continue;
            };
            let hunks: Vec<String> = file
                .hunks()
                .iter()
                .filter(|hunk| Some(hunk.old_start) == line)
                .map(super::diff::Hunk::header)
                .collect();
            let known = Conflicted::new(path.to_string(), hunks, reason);
            if !files.contains(&known) {
                files.push(known);
            }
        }
    }
    files
}

/// Returns what follows some words at the beginning of a line.
fn after<'a>(text: &'a [u8], parts: &[&[u8]]) -> Option<&'a [u8]> {
    let words = parts.concat();
    if let Some(rest) = text.strip_prefix(words.as_slice()) {
        return Some(rest);
    }
    let line = [&b"\n"[..], words.as_slice()].concat();
    memmem::find(text, &line).map(|at| &text[at + line.len()..])
}

fn first_line(rest: &[u8]) -> String {
    text(rest.split(|&byte| byte == b'\n').next().unwrap_or_default())
}

/// Reads `git merge-tree --write-tree -z --name-only`: the tree, and the files that conflict.
pub(super) fn merged(stdout: &[u8]) -> (Option<String>, Vec<Conflicted>) {
    let mut fields = stdout.split(|&byte| byte == 0);
    let tree = fields.next().map(text).filter(|tree| !tree.is_empty());
    let mut files: Vec<Conflicted> = fields
        .by_ref()
        .take_while(|field| !field.is_empty())
        .map(|path| {
            Conflicted::new(
                super::RawPath::new(path).to_string(),
                [""; 0],
                "both sides changed it",
            )
        })
        .collect();
    // Then messages: how many paths, the paths, a short type, the text.
    while let Some(count) = fields
        .next()
        .and_then(|count| text(count).parse::<usize>().ok())
    {
        let paths: Vec<_> = fields.by_ref().take(count).collect();
        let kind = fields.next().unwrap_or_default();
        let message = fields.next().map(first_line).unwrap_or_default();
        if !kind.starts_with(b"CONFLICT") {
            continue;
        }
        for path in paths {
            let path = super::RawPath::new(path).to_string();
            if let Some(file) = files.iter_mut().find(|file| file.path() == path) {
                file.set_reason(&message);
            }
        }
    }
    (tree, files)
}

#[cfg(test)]
mod tests {
    use super::{is_unreadable, merged, read};
    use crate::domain::patch::Patch;

    #[test]
    fn the_conflicts_that_git_apply_prints_are_read() {
        let patch =
            Patch::parse(include_bytes!("../../../tests/data/patch/conflict.diff")).unwrap();
        for stderr in [
            &include_bytes!("../../../tests/data/patch/conflict.git-2.39.5.stderr")[..],
            include_bytes!("../../../tests/data/patch/conflict.git-2.47.3.stderr"),
        ] {
            let files = read(stderr, &patch);
            let shown: Vec<_> = files
                .iter()
                .map(|file| (file.path(), file.hunks().concat(), file.reason()))
                .collect();
            assert_eq!(
                shown,
                [
                    ("bin", String::new(), "patch does not apply"),
                    (
                        "f.txt",
                        "@@ -2,7 +2,7 @@".to_owned(),
                        "patch does not apply"
                    ),
                    ("gone.txt", String::new(), "does not exist in index"),
                    ("taken.txt", String::new(), "already exists in index"),
                ]
            );
        }
    }

    #[test]
    fn a_diff_that_git_cannot_read_is_no_conflict() {
        for stderr in [
            &b"error: No valid patches in input (allow with \"--allow-empty\")\n"[..],
            b"error: corrupt patch at line 6\n",
            b"error: invalid path '../x'\n",
        ] {
            assert!(is_unreadable(stderr));
        }
        assert!(!is_unreadable(b"error: patch failed: f.txt:2\n"));
    }

    #[test]
    fn what_git_merge_tree_prints_is_read() {
        for stdout in [
            &include_bytes!("../../../tests/data/patch/merge_tree.git-2.39.5.stdout")[..],
            include_bytes!("../../../tests/data/patch/merge_tree.git-2.47.3.stdout"),
        ] {
            let (tree, files) = merged(stdout);
            assert_eq!(tree.unwrap().len(), 40);
            let shown: Vec<_> = files
                .iter()
                .map(|file| (file.path(), file.reason()))
                .collect();
            assert_eq!(
                shown,
                [
                    (
                        "deleted.txt",
                        "CONFLICT (modify/delete): deleted.txt deleted in ours and modified in theirs.  Version theirs of deleted.txt left in tree."
                    ),
                    ("f.txt", "CONFLICT (content): Merge conflict in f.txt"),
                ]
            );
        }
    }
}
