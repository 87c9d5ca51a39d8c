//! References to issues: short names, URLs of pages, and files.

use std::path::PathBuf;

use super::Error;
use crate::domain::forge::{self, IssueName};

/// A reference to an issue, as a caller gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IssueRef {
    /// An issue of a repository on a forge.
    Forge {
        /// The host of the page's URL, if one was given, such as `github.com`.
        host: Option<String>,
        /// Its name there.
        name: IssueName,
    },
    /// A file on this machine.
    File(PathBuf),
}

impl IssueRef {
    /// Reads `owner/repo#12`, the URL of an issue's page, or the path of a file.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let wrong = || Error::Reference {
            text: text.to_owned(),
        };
        if text.is_empty() || text.contains('\0') {
            return Err(wrong());
        }
        let address = ["https://", "http://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme));
        if let Some(address) = address {
            return of_page(address).ok_or_else(wrong);
        }
        let short = text.split_once('#').and_then(|(name, number)| {
            let (owner, repository) = name.split_once('/')?;
            IssueName::new(owner, repository, number)
        });
        Ok(match short {
            Some(name) => Self::Forge { host: None, name },
            None => Self::File(text.into()),
        })
    }
}

/// Reads the URL of an issue's page, without its scheme; a URL with a login in it is refused.
fn of_page(address: &str) -> Option<IssueRef> {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = address.split_once('/')?;
    if host.is_empty() || host.contains('@') {
        return None;
    }
    Some(IssueRef::Forge {
        host: Some(host.to_owned()),
        name: forge::issue_on_page(path)?,
    })
}

#[cfg(test)]
mod tests {
    use super::IssueRef;

    #[test]
    fn a_reference_is_a_short_name_a_url_or_a_path() {
        let named = |text: &str| match IssueRef::parse(text) {
            Ok(IssueRef::Forge { host, name }) => {
                format!(
                    "{host:?} {} {} {}",
                    name.owner, name.repository, name.number
                )
            }
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
