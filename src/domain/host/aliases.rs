//! The aliases of the user's ssh configuration.

use std::path::{Path, PathBuf};

use crate::{contract::Name, system::files};

/// How deep files may include each other, as in OpenSSH.
const DEPTH: u32 = 16;

/// Lists the aliases without wildcards that an ssh configuration names, those of included files too.
///
/// A file that cannot be read is skipped: the ssh client reports it when it connects.
pub(super) fn read(file: &Path, user_home: &Path) -> Vec<Name> {
    let mut found = Vec::new();
    visit(file, user_home, DEPTH, &mut found);
    found.sort();
    found.dedup();
    found
}

fn visit(file: &Path, user_home: &Path, depth: u32, found: &mut Vec<Name>) {
    let Ok(bytes) = files::read_regular(file, 1 << 20) else {
        return;
    };
    for line in String::from_utf8_lossy(&bytes).lines() {
        let line = line.trim();
        let Some((keyword, rest)) = line.split_once(|c: char| c.is_whitespace() || c == '=') else {
            continue;
        };
        let words = rest
            .split_whitespace()
            .take_while(|word| !word.starts_with('#'))
            .map(|word| word.trim_matches('"'));
        if keyword.eq_ignore_ascii_case("host") {
            found.extend(
                words
                    .filter(|word| !word.contains(['*', '?', '!']))
                    .filter_map(|word| Name::new(word).ok()),
            );
        } else if keyword.eq_ignore_ascii_case("include") && depth > 0 {
            for word in words {
                for included in expand(word, user_home) {
                    visit(&included, user_home, depth - 1, found);
                }
            }
        }
    }
}

/// Expands `~`, relative paths and one `*` in the last part, which is how configurations include folders.
fn expand(word: &str, user_home: &Path) -> Vec<PathBuf> {
    let path = match word.strip_prefix("~/") {
        Some(rest) => user_home.join(rest),
        None => user_home.join(".ssh").join(word),
    };
    let Some((folder, pattern)) = path
        .parent()
        .zip(path.file_name().and_then(|name| name.to_str()))
    else {
        return Vec::new();
    };
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![path.clone()];
    };
    files::names_in(folder)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.starts_with(before) && name.ends_with(after))
        .map(|name| folder.join(name))
        .collect()
}
