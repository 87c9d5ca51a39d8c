//! Secrets that a change would put into the repository.
//!
//! Only what is new counts: a secret that the file held before is no secret of the repository any more, and a change that
//! takes one out is a good one. So the files are compared as they are in the two trees. Reading all of them would double
//! the time of a large change, hence the lines that the diff adds are looked through first, and the files only where
//! something was found there or where they are bytes that the diff holds packed.

use super::{
    Error, Patch, allow::Allowances, diff::Content, difference::Difference, rule::Rule,
    rules::Findings, scratch_repository::ScratchRepository,
};
use crate::{contract::details::Finding, system::secrets::Leaks};

/// Files whose content is held at a time.
const AT_ONCE: usize = 20;

impl ScratchRepository<'_> {
    /// Adds the secrets that a change puts into files.
    pub(super) async fn find_leaks(
        &self,
        leaks: &Leaks,
        (bytes, patch): (&[u8], &Patch),
        differences: &[Difference],
        allow: &Allowances,
        findings: &mut Findings,
    ) -> Result<(), Error> {
        if leaks.is_empty() {
            return Ok(());
        }
        let added = bytes
            .split(|&byte| byte == b'\n')
            .filter_map(|line| line.strip_prefix(b"+"));
        let is_in_text = leaks.is_any_in_lines(added);
        let is_binary = |one: &&Difference| one.lines.is_none();
        let has_binary = patch
            .files
            .iter()
            .any(|file| file.content == Content::Binary);
        let looked_at: Vec<&Difference> = differences
            .iter()
            .filter(|one| one.is_blob())
            .filter(|one| is_in_text || has_binary && is_binary(one))
            .collect();
        for some in looked_at.chunks(AT_ONCE) {
            let ids = some.iter().flat_map(|one| [&one.old_id, &one.new_id]);
            let contents = self.contents(ids.map(String::as_str)).await?;
            for (one, pair) in some.iter().zip(contents.chunks_exact(2)) {
                let before = leaks.find_in_file(&pair[0]);
                let after = leaks.find_in_file(&pair[1]);
                for leak in after.difference(&before) {
                    let place = one.path.to_string();
                    let list = if allow.covers(Rule::SecretInDiff, &place) {
                        &mut findings.sensitive
                    } else {
                        &mut findings.refused
                    };
                    let rule = Rule::SecretInDiff.name().to_owned();
                    list.push(Finding::new(place, rule, leak.message()));
                }
            }
        }
        Ok(())
    }

    /// Reads objects, in their order; one that is not there is empty.
    async fn contents<'a>(
        &self,
        ids: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let mut wanted = String::new();
        for id in ids {
            wanted.push_str(id);
            wanted.push('\n');
        }
        let output = self
            .git
            .output("read the files", ["cat-file", "--batch"], wanted.as_bytes())
            .await?;
        let mut rest = output.as_slice();
        let mut contents = Vec::new();
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let header = String::from_utf8_lossy(&rest[..end]);
            rest = &rest[end + 1..];
            let size = header
                .rsplit_once(' ')
                .and_then(|(_, size)| size.parse::<usize>().ok());
            let content = size.and_then(|size| rest.split_at_checked(size));
            contents.push(content.map_or_else(Vec::new, |(content, _)| content.to_vec()));
            if let Some((_, behind)) = content {
                rest = behind.strip_prefix(b"\n").unwrap_or(behind);
            }
        }
        Ok(contents)
    }
}
