//! How a caller names an issue.

use std::path::PathBuf;

use super::Error;

/// An issue by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IssueRef {
    /// An issue of a repository on a forge.
    Forge {
        /// The host of the page's address, where one was given, such as `github.com`.
        host: Option<String>,
        /// The owner of the repository.
        owner: String,
        /// The repository's name.
        repository: String,
        /// The issue's number.
        number: u64,
    },
    /// A file on this machine.
    File(PathBuf),
}

impl IssueRef {
    /// Reads `owner/repo#12`, the address of an issue's page, or the path of a file.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let wrong = || Error::Reference {
            text: text.to_owned(),
        };
        if text.is_empty() || text.contains('\0') {
            return Err(wrong());
        }
        if let Some(address) = ["https://", "http://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme))
        {
            let address = address.split(['?', '#']).next().unwrap_or_default();
            let mut parts = address.trim_end_matches('/').split('/');
            let mut part = || parts.next().unwrap_or_default();
            let (host, owner, repository, kind, number) = (part(), part(), part(), part(), part());
            let fits = parts.next().is_none()
                && !host.is_empty()
                && !host.contains('@')
                && matches!(kind, "issues" | "pull");
            return fits
                .then(|| forge(Some(host), owner, repository, number))
                .flatten()
                .ok_or_else(wrong);
        }
        let short = text.split_once('#').and_then(|(name, number)| {
            let (owner, repository) = name.split_once('/')?;
            forge(None, owner, repository, number)
        });
        Ok(short.unwrap_or_else(|| Self::File(text.into())))
    }
}

fn forge(host: Option<&str>, owner: &str, repository: &str, number: &str) -> Option<IssueRef> {
    let is_plain = |text: &str, extra: &[u8]| {
        (1..=100).contains(&text.len())
            && !matches!(text, "." | "..")
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
    };
    let number = number
        .parse()
        .ok()
        .filter(|&parsed: &u64| parsed > 0 && parsed.to_string() == number)?;
    (is_plain(owner, b"-_") && is_plain(repository, b"-_.")).then(|| IssueRef::Forge {
        host: host.map(str::to_owned),
        owner: owner.to_owned(),
        repository: repository.to_owned(),
        number,
    })
}

#[cfg(test)]
mod tests {
    use super::IssueRef;

    #[test]
    fn an_issue_is_named_in_three_ways() {
        let named = |text: &str| match IssueRef::parse(text) {
            Ok(IssueRef::Forge {
                host,
                owner,
                repository,
                number,
            }) => format!("{host:?} {owner} {repository} {number}"),
            Ok(IssueRef::File(path)) => format!("file {}", path.display()),
            Err(_) => "wrong".to_owned(),
        };
        for (text, wanted) in [
            ("o-w/re.po#12", "None o-w re.po 12"),
            (
                "https://github.com/o/r/issues/12",
                r#"Some("github.com") o r 12"#,
            ),
            (
                "https://github.com/o/r/issues/12/?x=1#issuecomment-3",
                r#"Some("github.com") o r 12"#,
            ),
            (
                "http://127.0.0.1:80/o/r/pull/3",
                r#"Some("127.0.0.1:80") o r 3"#,
            ),
            ("https://github.com/o/r", "wrong"),
            ("https://github.com/o/../issues/1", "wrong"),
            ("https://token@github.com/o/r/issues/1", "wrong"),
            ("https://github.com/o/r/issues/1/x", "wrong"),
            ("", "wrong"),
            ("bugs/one.md", "file bugs/one.md"),
            ("o/r#0", "file o/r#0"),
            ("o/r#+1", "file o/r#+1"),
            ("../r#1", "file ../r#1"),
            ("a/b/c#1", "file a/b/c#1"),
        ] {
            assert_eq!(named(text), wanted, "{text}");
        }
    }
}
