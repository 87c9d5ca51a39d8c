//! Which tracked files of a checkout have changes that are not committed.
//!
//! The problem: git compares a file with its index by stat data, and by content where those differ. For the content it
//! runs the filters that the repository configures, which may be anybody's programs and may write elsewhere, so they are
//! not configured here. A file under such a filter that was only touched then looks changed, though git itself calls it
//! clean. What is behind the filter cannot be known without running it, so it is decided by what can be: a file of Git LFS
//! is hashed and compared with its pointer, which is exact; any other is changed where its size differs from the one in
//! the index. That may call a changed file clean, which costs nothing: the working tree is neither read from nor written
//! to after this. The filters of the person's own configuration are run, as every git of theirs runs them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Error,
    checkout::entries,
    git::{Git, failed, text},
    missing,
    path::RawPath,
    scratch_repository::{ScratchRepository, quoted},
};
use crate::system::files;

/// The first line of a pointer of Git LFS.
const POINTER: &str = "version https://git-lfs.github.com/spec/v1";

impl ScratchRepository<'_> {
    /// Lists tracked files with changes that are not committed.
    ///
    /// Untracked files are no hindrance: the working tree is not written, and git keeps them from being overwritten when
    /// the branch is switched to. Submodules count as changed where they stand at another commit.
    pub(super) async fn uncommitted(&self, head: &str) -> Result<Vec<String>, Error> {
        let git = self.of_working_tree(head).await?;
        let arguments = [
            "status",
            "--porcelain=v1",
            "-z",
            "--untracked-files=no",
            "--no-renames",
            "--ignore-submodules=dirty",
        ];
        let exit = git.run(arguments, b"").await?;
        if missing::is_object(&exit.stderr) {
            return Err(Error::ObjectsMissing {
                checkout: self.checkout.top.clone(),
                commit: head.to_owned(),
                paths: Vec::new(),
                stderr: text(&exit.stderr),
            });
        }
        if exit.status != Some(0) {
            return Err(failed("look for uncommitted changes", &exit));
        }
        let status = exit.stdout;
        let entries = entries(&status);
        let touched: Vec<&[u8]> = entries
            .iter()
            .filter(|(kind, _)| *kind == b" M")
            .map(|(_, path)| *path)
            .collect();
        let clean = if touched.is_empty() {
            BTreeSet::new()
        } else {
            self.only_touched(&git, &touched).await?
        };
        Ok(entries
            .iter()
            .filter(|(_, path)| !clean.contains(path))
            .map(|(_, path)| RawPath::new(*path).to_string())
            .collect())
    }

    /// Makes git see the working tree through a copy of its index.
    async fn of_working_tree(&self, head: &str) -> Result<Git, Error> {
        let copied = |source| Error::System {
            step: "copy the index",
            source,
        };
        let folder = &self.checkout.folder;
        let here = self.scratch.path();
        // git looks again at a file that is as young as the index, so the copies are as old as the originals.
        self.scratch
            .copy_in(&folder.join("index"), "users-index")
            .map_err(copied)?;
        self.scratch
            .copy_starting(folder, "sharedindex.", "repository")
            .map_err(copied)?;
        files::make_scratch_folder(&here.join("repository/info")).map_err(copied)?;
        self.scratch
            .copy_in(
                &self.checkout.common.join("info/attributes"),
                "repository/info/attributes",
            )
            .map_err(copied)?;
        let mut git = Git::within(&self.checkout.top)
            .without_sync()
            .with("GIT_DIR", here.join("repository"))
            .with("GIT_WORK_TREE", &self.checkout.top)
            .with("GIT_INDEX_FILE", here.join("users-index"))
            .with(
                "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                quoted(self.checkout.common.join("objects")),
            );
        for (key, value) in self.checkout.harmless_settings().await? {
            git = git.set(key, value);
        }
        git.output(
            "note the head",
            ["update-ref", "--no-deref", "HEAD", head],
            b"",
        )
        .await?;
        Ok(git)
    }

    /// Lists those of some files that are behind a filter which was not run, and of which nothing shows a change.
    async fn only_touched<'a>(
        &self,
        git: &Git,
        touched: &[&'a [u8]],
    ) -> Result<BTreeSet<&'a [u8]>, Error> {
        let step = "look for filters";
        let names: Vec<u8> = touched.join(&0);
        let attributes = git
            .output(step, ["check-attr", "-z", "--stdin", "filter"], &names)
            .await?;
        let fields: Vec<&[u8]> = attributes.split(|&byte| byte == 0).collect();
        let mut filtered: Vec<&'a [u8]> = Vec::new();
        let mut run = BTreeMap::new();
        for (path, field) in touched.iter().zip(fields.chunks_exact(3)) {
            let filter = String::from_utf8_lossy(field[2]).into_owned();
            if matches!(filter.as_str(), "unspecified" | "unset" | "set") {
                continue;
            }
            let is_run = if let Some(is_run) = run.get(&filter) {
                *is_run
            } else {
                let is_run = is_configured(git, &filter).await?;
                run.insert(filter, is_run);
                is_run
            };
            if !is_run {
                filtered.push(*path);
            }
        }
        if filtered.is_empty() {
            return Ok(BTreeSet::new());
        }
        let listed = git.output(step, ["ls-files", "-z", "--debug"], b"").await?;
        let sizes = recorded_sizes(&listed);
        let mut clean = BTreeSet::new();
        for path in filtered {
            if self.looks_as_checked_out(git, path, &sizes).await? {
                clean.insert(path);
            }
        }
        Ok(clean)
    }

    async fn looks_as_checked_out(
        &self,
        git: &Git,
        path: &[u8],
        sizes: &BTreeMap<&[u8], u64>,
    ) -> Result<bool, Error> {
        let Ok(name) = std::str::from_utf8(path) else {
            return Ok(false);
        };
        let place = self.checkout.top.join(name);
        let found = match files::metadata(&place) {
            Ok(found) if found.is_file() => found,
            Ok(_) | Err(_) => return Ok(false),
        };
        let blob = git
            .run(["cat-file", "blob", &format!(":0:{name}")], b"")
            .await?;
        let content = String::from_utf8_lossy(&blob.stdout);
        Ok(match pointer(&content) {
            Some((sha256, size)) => {
                size == found.len() && files::digest(&place).is_ok_and(|digest| digest == sha256)
            }
            None => sizes.get(path) == Some(&(found.len() & 0xffff_ffff)),
        })
    }
}

/// Returns whether a filter is configured where git was called, so that it was run.
async fn is_configured(git: &Git, filter: &str) -> Result<bool, Error> {
    for way in ["clean", "process"] {
        let key = format!("filter.{filter}.{way}");
        if git.run(["config", "--get", &key], b"").await?.status == Some(0) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads what a pointer of Git LFS says of its file: SHA-256 and size.
fn pointer(text: &str) -> Option<(&str, u64)> {
    let mut lines = text.lines();
    if lines.next() != Some(POINTER) {
        return None;
    }
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    Some((value("oid sha256:")?, value("size ")?.parse().ok()?))
}

/// Reads the sizes that the index records, of `git ls-files -z --debug` (from git 2.39 and 2.47).
///
/// Each path ends with a NUL; the lines about it follow, the next path directly behind them.
fn recorded_sizes(listed: &[u8]) -> BTreeMap<&[u8], u64> {
    const LAST: &[u8] = b"\tflags: ";
    let mut sizes = BTreeMap::new();
    let mut parts = listed.split(|&byte| byte == 0);
    let mut path = parts.next().unwrap_or_default();
    for part in parts {
        let size = memchr::memmem::find(part, b"  size: ").and_then(|at| {
            let digits = part[at + 8..].split(|byte| !byte.is_ascii_digit()).next()?;
            std::str::from_utf8(digits).ok()?.parse().ok()
        });
        if let Some(size) = size {
            sizes.insert(path, size);
        }
        let end = memchr::memmem::find(part, LAST)
            .and_then(|at| Some(at + memchr::memchr(b'\n', &part[at..])? + 1));
        path = &part[end.unwrap_or(part.len())..];
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::{pointer, recorded_sizes};

    #[test]
    fn sizes_and_pointers_are_read() {
        let listed = b"a b\0  ctime: 1:2\n  mtime: 1:2\n  dev: 1\tino: 2\n  uid: 0\tgid: 0\n  size: 12\tflags: 0\nsize: 9\0  ctime: 1:2\n  mtime: 1:2\n  dev: 1\tino: 2\n  uid: 0\tgid: 0\n  size: 3\tflags: 0\n";
        let sizes = recorded_sizes(listed);
        assert_eq!(sizes.get(&b"a b"[..]), Some(&12));
        assert_eq!(sizes.get(&b"size: 9"[..]), Some(&3));
        let text = "version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 7\n";
        assert_eq!(pointer(text), Some(("0a", 7)));
        assert_eq!(pointer("size 7\noid sha256:0a\n"), None);
    }
}
