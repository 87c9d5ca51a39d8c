//! The code in an issue that may show the bug, the likeliest first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Issue, blocks::blocks, score::score};

/// The largest candidate, in bytes; larger blocks are skipped.
const MAX_CODE: usize = 64 << 10;
/// The most candidates.
const MAX_CANDIDATES: usize = 50;

/// The part of an issue that a block of code is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// The issue's body.
    Body,
    /// A comment.
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
    /// Whether it is in the issue's body or in a comment.
    pub(crate) source: Place,
    /// The number of that comment, counted from 1.
    pub(crate) comment: Option<u64>,
    /// The login of its author.
    pub(crate) author: Option<String>,
    /// Whether its author opened the issue.
    pub(crate) author_is_reporter: bool,
    /// The line of the text it starts at, counted from 1.
    pub(crate) line: u64,
    /// How likely it shows the bug. Higher is likelier; only the order means anything.
    pub(crate) score: i64,
    /// How the score came about, in words.
    pub(crate) reasons: Vec<String>,
}

/// Lists the blocks of code in an issue, the likeliest to show the bug first.
///
/// `hints` are words that make a block likelier, such as the names a package is imported by.
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
            let line = block.line;
            let scored = score(block, place.is_none(), reporter, hints);
            let candidate = Candidate {
                code: scored.code,
                language: scored.kind.name().to_owned(),
                runnable: scored.runnable,
                source: place.map_or(Place::Body, |_| Place::Comment),
                comment: place,
                author: author.cloned(),
                author_is_reporter: reporter,
                line,
                score: scored.points,
                reasons: scored.reasons,
            };
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
    fn open_fences_and_hostile_texts_do_no_harm() {
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
