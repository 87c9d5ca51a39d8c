//! The code in an issue that may show the bug, by a `CommonMark` parser, the likeliest first.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Issue,
    languages::{Kind, kind, python_input, shell_input},
};

/// The largest block that is taken for a candidate, in bytes.
const MAX_CODE: usize = 64 << 10;
/// The most candidates that are returned.
const MAX_CANDIDATES: usize = 50;

/// Where in an issue a block of code stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// In the issue's own text.
    Body,
    /// In a comment.
    Comment,
}

/// A block of code that may show the bug. Strangers wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Candidate {
    /// The code, without prompts and output where it was a session.
    pub(crate) code: String,
    /// Its language, or what else it is: `python`, `sh`, `c` …, `traceback`, `output`, `environment`, `diff`, `data`, `unknown`.
    pub(crate) language: String,
    /// Whether it can be run as it stands, as far as its language tells.
    pub(crate) runnable: bool,
    /// Where it stands.
    pub(crate) source: Place,
    /// The number of the comment it stands in, counted from 1.
    pub(crate) comment: Option<u64>,
    /// The login of who wrote it.
    pub(crate) author: Option<String>,
    /// Whether that is who reported the issue.
    pub(crate) author_is_reporter: bool,
    /// The line of the text it starts at, counted from 1.
    pub(crate) line: u64,
    /// How likely it shows the bug; more is likelier, and only the order means anything.
    pub(crate) score: i64,
    /// What made the score, for a reader.
    pub(crate) reasons: Vec<String>,
}

/// Lists the blocks of code in an issue, the likeliest to show the bug first.
///
/// `hints` are words that speak for a block, such as the names a package is imported by.
pub(crate) fn extract_repro(issue: &Issue, hints: &[String]) -> Vec<Candidate> {
    let body = (None, issue.author.as_ref(), &issue.body);
    let comments = issue
        .comments
        .iter()
        .zip(1..)
        .map(|(comment, number)| (Some(number), comment.author.as_ref(), &comment.body));
    let mut candidates: Vec<Candidate> = Vec::new();
    for (place, author, text) in std::iter::once(body).chain(comments) {
        let reporter = match place {
            None => true,
            Some(_) => author.is_some() && author == issue.author.as_ref(),
        };
        for block in blocks(text) {
            let candidate = judge(block, place, author, reporter, hints);
            let known = candidates.iter().any(|one| one.code == candidate.code);
            if !candidate.code.trim().is_empty() && candidate.code.len() <= MAX_CODE && !known {
                candidates.push(candidate);
            }
        }
    }
    // The sort is stable: of equals the earlier stays first.
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.score));
    candidates.truncate(MAX_CANDIDATES);
    candidates
}

struct Block {
    code: String,
    info: Option<String>,
    fenced: bool,
    closed: bool,
    line: u64,
    /// The words right before it, in lower case.
    before: String,
}

fn blocks(text: &str) -> Vec<Block> {
    let text = text.replace("\r\n", "\n");
    let mut blocks: Vec<Block> = Vec::new();
    let mut before = String::new();
    let mut open: Option<Block> = None;
    for (event, range) in Parser::new_ext(&text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(style)) => {
                let line = text[..range.start].matches('\n').count() + 1;
                let (info, fenced) = match style {
                    CodeBlockKind::Fenced(info) => (Some(info.to_string()), true),
                    CodeBlockKind::Indented => (None, false),
                };
                let last = text[range].trim_end().lines().last().unwrap_or_default();
                let last = last.trim_start_matches(['>', ' ', '\t']);
                open = Some(Block {
                    code: String::new(),
                    info: info.filter(|info| !info.trim().is_empty()),
                    fenced,
                    closed: last.starts_with("```") || last.starts_with("~~~"),
                    line: u64::try_from(line).unwrap_or(u64::MAX),
                    before: std::mem::take(&mut before),
                });
            }
            Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
            Event::Start(Tag::Paragraph | Tag::Heading { .. }) => before.clear(),
            Event::Text(part) | Event::Code(part) => match &mut open {
                Some(block) => block.code.push_str(&part),
                None => before.push_str(&part.to_lowercase()),
            },
            // GitHub folds code away behind a summary.
            Event::Html(part) | Event::InlineHtml(part) => {
                if part.contains("<summary") || part.contains("<details") {
                    before.clear();
                }
                before.push_str(&part.to_lowercase());
            }
            Event::SoftBreak | Event::HardBreak => before.push(' '),
            Event::Start(_)
            | Event::End(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }
    blocks
}

fn judge(
    block: Block,
    comment: Option<u64>,
    author: Option<&String>,
    author_is_reporter: bool,
    hints: &[String],
) -> Candidate {
    let mut score = 0;
    let mut reasons = Vec::new();
    let mut count = |points: i64, reason: String| {
        score += points;
        reasons.push(format!("{points:+} {reason}"));
    };
    let kind = kind(block.info.as_deref(), &block.code);
    let code = match kind {
        Kind::PythonSession => python_input(&block.code),
        Kind::ShellSession => match shell_input(&block.code) {
            input if input.is_empty() => block.code,
            input => input,
        },
        Kind::Program(_)
        | Kind::Traceback
        | Kind::Environment
        | Kind::Diff
        | Kind::Output
        | Kind::Data
        | Kind::Unknown => block.code,
    };
    let (runnable, points, reason) = worth(kind);
    count(points, reason);
    if author_is_reporter {
        count(20, "written by the reporter".to_owned());
    }
    if comment.is_none() {
        count(5, "in the issue itself".to_owned());
    }
    if runnable {
        if block.info.is_some() {
            count(5, "its language is named".to_owned());
        }
        for hint in hints.iter().filter(|hint| !hint.is_empty()) {
            if imports(&code, hint) {
                count(20, format!("it imports {hint}"));
            } else if code.contains(hint.as_str()) {
                count(5, format!("it names {hint}"));
            }
        }
        if only_installs(&code) {
            count(
                -40,
                "it only installs, fetches or starts something".to_owned(),
            );
        }
        if ["assert", "raise ", "print(", "console.log", "panic!"]
            .iter()
            .any(|sign| code.contains(sign))
        {
            count(3, "it checks or shows something".to_owned());
        }
    }
    if let Some(word) = REPRO_WORDS
        .iter()
        .find(|word| block.before.contains(**word))
    {
        count(15, format!("the words before it say `{word}`"));
    } else if let Some(word) = OTHER_WORDS
        .iter()
        .find(|word| block.before.contains(**word))
    {
        count(-15, format!("the words before it say `{word}`"));
    }
    if !block.fenced {
        count(-5, "indented, not fenced".to_owned());
    } else if !block.closed {
        count(-20, "its fence is never closed".to_owned());
    }
    Candidate {
        code,
        language: kind.name().to_owned(),
        runnable,
        source: comment.map_or(Place::Body, |_| Place::Comment),
        comment,
        author: author.cloned(),
        author_is_reporter,
        line: block.line,
        score,
        reasons,
    }
}

/// Tells whether a block can be run, and what it is worth by its kind alone.
fn worth(kind: Kind) -> (bool, i64, String) {
    match kind {
        Kind::Program("python") => (true, 60, "a Python program".to_owned()),
        Kind::PythonSession => (true, 55, "a Python session".to_owned()),
        Kind::Program("sh") | Kind::ShellSession => (true, 35, "shell commands".to_owned()),
        Kind::Program(language) => (true, 50, format!("a program in {language}")),
        Kind::Unknown => (false, 10, "of no known language".to_owned()),
        Kind::Output | Kind::Data => (false, 0, format!("{}, not code", kind.name())),
        Kind::Traceback | Kind::Environment | Kind::Diff => {
            (false, -20, format!("{}, not code", kind.name()))
        }
    }
}

/// Words that announce a program which shows the bug.
const REPRO_WORDS: &[&str] = &[
    "repro",
    "minimal",
    "mwe",
    "mcve",
    "to trigger",
    "triggers",
    "fails with this",
    "following code",
    "following script",
    "following snippet",
    "example code",
    "code sample",
    "sample code",
    "test case",
    "testcase",
];

/// Words that announce something else.
const OTHER_WORDS: &[&str] = &[
    "workaround",
    "work around",
    "instead",
    "fixed by",
    "fixes",
    "proposed",
    "suggest",
    "traceback",
    "stack trace",
    "output",
    "error message",
    "log",
    "environment",
    "version",
    "install",
    "works",
    "expected",
];

fn imports(code: &str, name: &str) -> bool {
    let is_end = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    code.lines().any(|line| {
        let line = line.trim_start();
        let starts = [
            "import ",
            "from ",
            "use ",
            "#include <",
            "#include \"",
            "require '",
            "require \"",
        ];
        let direct = starts.iter().any(|start| {
            line.strip_prefix(start)
                .and_then(|rest| rest.strip_prefix(name))
                .is_some_and(is_end)
        });
        let listed = line.strip_prefix("import ").is_some_and(|rest| {
            rest.split(',')
                .any(|part| part.trim().strip_prefix(name).is_some_and(is_end))
        });
        let quoted = ['\'', '"'].iter().any(|quote| {
            line.contains(&format!("require({quote}{name}{quote}"))
                || line.contains(&format!("from {quote}{name}{quote}"))
        });
        direct || listed || quoted
    })
}

fn only_installs(code: &str) -> bool {
    let starts = [
        "pip ",
        "pip3 ",
        "python -m pip",
        "python3 -m pip",
        "uv ",
        "conda ",
        "mamba ",
        "npm ",
        "yarn ",
        "apt",
        "sudo ",
        "brew ",
        "cargo ",
        "git clone",
        "cd ",
        "wget ",
        "curl ",
        "#",
        "docker ",
        "poetry ",
        "source ",
        "export ",
        "%pip",
        "!pip",
    ];
    let mut lines = code
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .peekable();
    lines.peek().is_some() && lines.all(|line| starts.iter().any(|start| line.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Place, extract_repro};
    use crate::domain::issue::{Comment, Issue, read_file};

    fn issue(body: &str, comments: &[(&str, &str)]) -> Issue {
        Issue {
            author: Some("ada".to_owned()),
            title: "T".to_owned(),
            body: body.to_owned(),
            comments: comments
                .iter()
                .map(|(author, body)| Comment {
                    author: Some((*author).to_owned()),
                    body: (*body).to_owned(),
                    ..Comment::default()
                })
                .collect(),
            ..read_file("x.md", b"# T").unwrap()
        }
    }

    fn found(body: &str) -> Vec<Candidate> {
        extract_repro(&issue(body, &[]), &["torch".to_owned()])
    }

    #[test]
    fn fences_of_every_kind_are_found() {
        for body in [
            "```python\nimport torch\n```",
            "```py\nimport torch\n```",
            "```Python\nimport torch\n```",
            "```\nimport torch\n```",
            "~~~\nimport torch\n~~~",
            "~~~~ py\nimport torch\n~~~~",
            "```{.python}\nimport torch\n```",
            "```python {linenos=1}\nimport torch\n```",
            "text\n\n    import torch\n",
            "1. first\n\n   ```py\n   import torch\n   ```\n",
            "- > ```py\n  > import torch\n  > ```\n",
            "<details>\n<summary>code</summary>\n\n```py\nimport torch\n```\n</details>",
            "```pycon\n>>> import torch\n3\n```",
            "```\r\nimport torch\r\n```\r\n",
        ] {
            let found = found(body);
            assert_eq!(found.len(), 1, "{body}");
            assert_eq!(found[0].code.trim(), "import torch", "{body}");
            assert_eq!(found[0].language, "python", "{body}");
            assert!(found[0].runnable);
        }
        assert_eq!(found("```py\nfrom torch import nn\n```").len(), 1);
    }

    #[test]
    fn prose_after_a_block_of_another_language_is_never_code() {
        let found = found(
            "```bash\npip install torch\n```\nWhen I `import torch` it crashes.\n\n```python\nimport torch\ntorch.ones(1)\n```\n",
        );
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].code, "import torch\ntorch.ones(1)\n");
        assert_eq!(found[0].line, 6);
        assert!(found.iter().all(|one| !one.code.contains("When I")));
    }

    #[test]
    fn a_traceback_that_names_the_package_does_not_win() {
        let body = "It fails:\n```\nTraceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    import torch\nValueError: x\n```\nReproducer:\n```py\nfrom torch import nn\nnn.Linear(0, 0)\n```\nEnvironment\n```\nPyTorch version: 2\nimport torch\n```\n```diff\n-import torch\n+import torch2\n```\n```\nsome log: import torch\n```\n";
        let found = found(body);
        assert_eq!(found[0].code, "from torch import nn\nnn.Linear(0, 0)\n");
        let rest: Vec<_> = found[1..]
            .iter()
            .map(|one| (one.language.as_str(), one.runnable))
            .collect();
        assert_eq!(
            rest,
            [
                ("unknown", false),
                ("traceback", false),
                ("diff", false),
                ("environment", false)
            ]
        );
    }

    #[test]
    fn the_reporters_code_goes_before_a_commenters() {
        let issue = issue(
            "It crashes, see below.",
            &[
                (
                    "eve",
                    "```python\nimport torch\nimport os; os.system('x')\n```",
                ),
                ("ada", "```python\nimport torch\ntorch.ones(2)\n```"),
            ],
        );
        let found = extract_repro(&issue, &["torch".to_owned()]);
        assert_eq!(
            (found[0].source, found[0].comment),
            (Place::Comment, Some(2))
        );
        assert!(found[0].author_is_reporter);
        assert_eq!(found[1].author.as_deref(), Some("eve"));
        assert!(!found[1].author_is_reporter);
    }

    #[test]
    fn hints_and_the_words_before_a_block_raise_it() {
        let found = found(
            "Workaround:\n```py\nimport torch\nx = 1\n```\nMinimal example:\n```py\nimport torch\ny = 1\n```\nAlso\n```py\nimport numpy\n```",
        );
        let order: Vec<_> = found
            .iter()
            .map(|one| one.code.lines().last().unwrap())
            .collect();
        assert_eq!(order, ["y = 1", "x = 1", "import numpy"]);
        assert!(!found[0].reasons.is_empty());
    }

    #[test]
    fn an_open_fence_and_hostile_text_are_survived() {
        assert_eq!(found("```py\nimport torch\nno end").len(), 1);
        assert_eq!(found(&"> ".repeat(5000)).len(), 0);
        assert_eq!(found(&"```\nx\n```\n".repeat(2000)).len(), 1);
        let many: Vec<String> = (0..200)
            .map(|number| format!("```py\nx = {number}\n```\n"))
            .collect();
        assert_eq!(found(&many.concat()).len(), 50);
        assert_eq!(
            found(&format!("```py\n{}\n```", "x".repeat(1 << 20))).len(),
            0
        );
    }
}
