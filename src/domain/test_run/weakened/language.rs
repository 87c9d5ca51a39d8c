//! The languages whose tests are read, by the ending of a file.

use super::mask::Lexis;

/// A language whose tests are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    JavaScript,
    Rust,
    Go,
    C,
    Shell,
}

impl Language {
    /// Returns the language of a file by its name.
    pub(super) fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or_default();
        let ending = name.rsplit_once('.')?.1.to_lowercase();
        Some(match ending.as_str() {
            "py" => Self::Python,
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" => Self::JavaScript,
            "rs" => Self::Rust,
            "go" => Self::Go,
            "c" | "cc" | "cpp" | "cxx" | "h" | "hpp" => Self::C,
            "sh" | "bash" | "bats" | "ksh" | "zsh" => Self::Shell,
            _ => return None,
        })
    }

    /// Returns how it writes comments and strings.
    pub(super) const fn lexis(self) -> Lexis {
        match self {
            Self::Python => Lexis {
                line_comment: "#",
                has_block_comments: false,
                quotes: "\"'",
                has_triple_quotes: true,
                is_rust: false,
            },
            Self::Shell => Lexis {
                line_comment: "#",
                has_block_comments: false,
                quotes: "\"'",
                has_triple_quotes: false,
                is_rust: false,
            },
            Self::JavaScript | Self::Go => Lexis {
                line_comment: "//",
                has_block_comments: true,
                quotes: "\"'`",
                has_triple_quotes: false,
                is_rust: false,
            },
            Self::C => Lexis {
                line_comment: "//",
                has_block_comments: true,
                quotes: "\"'",
                has_triple_quotes: false,
                is_rust: false,
            },
            Self::Rust => Lexis {
                line_comment: "//",
                has_block_comments: true,
                quotes: "\"'",
                has_triple_quotes: false,
                is_rust: true,
            },
        }
    }
}

/// A test as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Test {
    /// Its name with those of what it is part of; empty for what stands outside any test.
    pub(super) name: String,
    /// Why it is not run, or is expected to fail.
    pub(super) skip: Option<String>,
    /// What it asserts, one statement each, without needless blanks.
    pub(super) assertions: Vec<String>,
}

/// Puts the blanks of a statement in order.
pub(super) fn plain(statement: &str) -> String {
    statement.split_whitespace().collect::<Vec<_>>().join(" ")
}
