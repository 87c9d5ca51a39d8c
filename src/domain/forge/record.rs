//! What forges know, in the one form that the rest of the program sees.

/// An issue by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IssueName {
    /// The owner of the repository.
    pub(crate) owner: String,
    /// The repository's name.
    pub(crate) repository: String,
    /// The issue's number.
    pub(crate) number: u64,
}

impl IssueName {
    /// Checks the parts of a name: plain words of at most 100 characters and a number above 0.
    pub(crate) fn new(owner: &str, repository: &str, number: &str) -> Option<Self> {
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
        (is_plain(owner, b"-_") && is_plain(repository, b"-_.")).then(|| Self {
            owner: owner.to_owned(),
            repository: repository.to_owned(),
            number,
        })
    }
}

/// An issue without its comments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct IssueRecord {
    /// The owner and the name of its repository now, where the forge says so: an issue can be moved to another one.
    pub(crate) repository: Option<(String, String)>,
    /// Its number.
    pub(crate) number: u64,
    /// Its page.
    pub(crate) url: Option<String>,
    /// Its title.
    pub(crate) title: String,
    /// Its text, in Markdown.
    pub(crate) body: String,
    /// `open` or `closed`, as the forge says.
    pub(crate) state: Option<String>,
    /// Its labels.
    pub(crate) labels: Vec<String>,
    /// The login of its author.
    pub(crate) author: Option<String>,
    /// When it was written (RFC 3339).
    pub(crate) created_at: Option<String>,
    /// Whether the number is that of a pull request.
    pub(crate) is_pull_request: bool,
}

/// A comment on an issue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommentRecord {
    /// The login of its author.
    pub(crate) author: Option<String>,
    /// When it was written (RFC 3339).
    pub(crate) created_at: Option<String>,
    /// Its text, in Markdown.
    pub(crate) body: String,
    /// Its page.
    pub(crate) url: Option<String>,
}
