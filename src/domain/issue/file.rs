//! Issues in files: Markdown, or JSON as written by `fetch-issue`, GitHub's REST API or `gh issue view --json`.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use serde::Deserialize;

use super::{Comment, Error, Issue, Source, Trust};

/// Reads an issue from the bytes of a file.
pub(crate) fn read_file(name: &str, bytes: &[u8]) -> Result<Issue, Error> {
    let wrong = |reason: String| Error::File {
        path: name.to_owned(),
        reason,
    };
    let text = std::str::from_utf8(bytes)
        .map_err(|error| wrong(format!("it is not UTF-8: {error}")))?
        .trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(wrong("it is empty".to_owned()));
    }
    let issue = if text.trim_start().starts_with('{') {
        serde_json::from_str::<Written>(text)
            .map_err(|error| wrong(error.to_string()))?
            .into_issue()
    } else {
        markdown(name, text)
    };
    Ok(issue.within_limits())
}

/// Makes an issue of a bare Markdown text, without a title.
pub(crate) fn read_text(text: &str) -> Issue {
    Issue {
        body: text.to_owned(),
        ..empty()
    }
    .within_limits()
}

fn empty() -> Issue {
    Issue {
        source: Source::FILE,
        repository: None,
        number: None,
        url: None,
        title: String::new(),
        body: String::new(),
        state: None,
        labels: Vec::new(),
        author: None,
        created_at: None,
        comments: Vec::new(),
        fetched_at: None,
        etag: None,
        trust: Trust::Untrusted,
        truncated: Vec::new(),
    }
}

/// Uses the first heading as the title, or else the file's name. A heading at the very top is removed from the body.
fn markdown(name: &str, text: &str) -> Issue {
    let mut title = String::new();
    let mut end = 0;
    let mut within = false;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => {
                within = true;
                if text[..range.start].trim().is_empty() {
                    end = range.end;
                }
            }
            Event::End(TagEnd::Heading(_)) if !title.trim().is_empty() => break,
            Event::End(TagEnd::Heading(_)) => within = false,
            Event::Text(part) | Event::Code(part) if within => title.push_str(&part),
            Event::SoftBreak | Event::HardBreak if within => title.push(' '),
            Event::Start(_)
            | Event::End(_)
            | Event::Text(_)
            | Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }
    if title.trim().is_empty() {
        let file = name.rsplit('/').next().unwrap_or(name);
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        stem.clone_into(&mut title);
        end = 0;
    }
    Issue {
        title: title.trim().to_owned(),
        body: text[end..].trim().to_owned(),
        ..empty()
    }
}

/// An issue as any of the three programs writes it.
#[derive(Deserialize)]
struct Written {
    title: String,
    body: Option<String>,
    repository: Option<String>,
    number: Option<u64>,
    html_url: Option<String>,
    url: Option<String>,
    state: Option<String>,
    #[serde(default)]
    labels: Vec<Named>,
    author: Option<Named>,
    user: Option<Named>,
    created_at: Option<String>,
    #[serde(rename = "createdAt")]
    created_at_of_gh: Option<String>,
    comments: Option<Comments>,
}

/// A person or label, by name alone or as an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Name(String),
    Label { name: String },
    Person { login: String },
}

impl Named {
    /// Returns the name.
    fn into_name(self) -> String {
        match self {
            Self::Name(name) | Self::Label { name } | Self::Person { login: name } => name,
        }
    }
}

/// The comments, or, as GitHub's REST API has it, only their number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Comments {
    Count(u64),
    All(Vec<WrittenComment>),
}

/// A comment as any of the three programs writes it.
#[derive(Deserialize)]
struct WrittenComment {
    body: Option<String>,
    author: Option<Named>,
    user: Option<Named>,
    html_url: Option<String>,
    url: Option<String>,
    created_at: Option<String>,
    #[serde(rename = "createdAt")]
    created_at_of_gh: Option<String>,
}

impl WrittenComment {
    fn into_comment(self) -> Comment {
        Comment {
            author: self.author.or(self.user).map(Named::into_name),
            created_at: self.created_at.or(self.created_at_of_gh),
            body: self.body.unwrap_or_default(),
            url: self.html_url.or(self.url),
        }
    }
}

impl Written {
    fn into_issue(self) -> Issue {
        let mut truncated = Vec::new();
        let comments = match self.comments {
            None | Some(Comments::Count(0)) => Vec::new(),
            Some(Comments::Count(count)) => {
                truncated.push(format!("{count} comments, which the file does not hold"));
                Vec::new()
            }
            Some(Comments::All(comments)) => comments
                .into_iter()
                .map(WrittenComment::into_comment)
                .collect(),
        };
        Issue {
            repository: self.repository,
            number: self.number,
            url: self.html_url.or(self.url),
            title: self.title,
            body: self.body.unwrap_or_default(),
            state: self.state.map(|state| state.to_lowercase()),
            labels: self.labels.into_iter().map(Named::into_name).collect(),
            author: self.author.or(self.user).map(Named::into_name),
            created_at: self.created_at.or(self.created_at_of_gh),
            comments,
            truncated,
            ..empty()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read_file;

    #[test]
    fn the_first_heading_of_a_markdown_file_is_the_title() {
        let read = |text: &str| {
            let issue = read_file("bugs/it-breaks.md", text.as_bytes()).unwrap();
            (issue.title, issue.body)
        };
        let pair = |title: &str, body: &str| (title.to_owned(), body.to_owned());
        assert_eq!(read("\n# It `breaks`\n\ntext\n"), pair("It breaks", "text"));
        assert_eq!(
            read("It breaks\n=========\ntext\n"),
            pair("It breaks", "text")
        );
        assert_eq!(
            read("```py\n# no heading\n```\n## Title\nx"),
            pair("Title", "```py\n# no heading\n```\n## Title\nx")
        );
        assert_eq!(read("only text"), pair("it-breaks", "only text"));
    }

    #[test]
    fn the_json_of_three_programs_gives_the_same_issue() {
        for text in [
            r#"{"source":"file","title":"T","body":"B","author":"ada","labels":["bug"],"url":"u","comments":[{"author":"bob","body":"C"}],"trust":"untrusted"}"#,
            r#"{"title":"T","body":"B","user":{"login":"ada","id":1},"labels":[{"id":1,"name":"bug"}],"url":"api","html_url":"u","comments":[{"user":{"login":"bob"},"body":"C","url":"x"}]}"#,
            r#"{"title":"T","body":"B","author":{"login":"ada"},"labels":[{"name":"bug"}],"url":"u","createdAt":"2024","comments":[{"author":{"login":"bob"},"body":"C"}]}"#,
        ] {
            let issue = read_file("x.json", text.as_bytes()).unwrap();
            assert_eq!(
                (
                    issue.title.as_str(),
                    issue.body.as_str(),
                    issue.author.as_deref()
                ),
                ("T", "B", Some("ada"))
            );
            assert_eq!(
                (issue.labels[0].as_str(), issue.url.as_deref()),
                ("bug", Some("u"))
            );
            assert_eq!(issue.comments[0].author.as_deref(), Some("bob"));
        }
        let counted = read_file("x.json", br#"{"title":"T","body":null,"comments":3}"#).unwrap();
        assert_eq!((counted.body.as_str(), counted.comments.len()), ("", 0));
        assert_eq!(counted.truncated.len(), 1);
    }

    #[test]
    fn a_file_without_an_issue_is_refused() {
        for bytes in [&b""[..], b" \n", b"\xff\xfe", b"{\"title\":1}", b"{"] {
            assert!(read_file("x", bytes).is_err());
        }
    }
}
