//! What a change must not do unless it is allowed.

use crate::contract::details::Finding;

/// Something that a change must not do unless it is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    /// Anything inside a folder that some file system takes for `.git`. Can never be allowed.
    GitDir,
    /// A path that leaves the tree. Can never be allowed.
    Outside,
    /// A symbolic link that is made or changed.
    Link,
    /// A submodule, or the file that says where submodules come from.
    Submodule,
    /// The configuration of continuous integration and deployment, which runs with secrets.
    Ci,
    /// Files that make git, an editor, a shell or a tool manager run something by itself.
    HooksConfig,
    /// Instructions and configuration of coding agents.
    AgentConfig,
    /// Any other hidden file, or a file in a hidden folder.
    DotFile,
    /// A path that does not show what it is: control, invisible or direction-changing characters, or not UTF-8.
    Unprintable,
    /// A secret that is known here.
    SecretInDiff,
    /// Another diff of the job than the one that was verified.
    UnverifiedDiff,
    /// A file that runs once somebody builds or tests. It is listed and needs no naming.
    BuildFile,
}

impl Rule {
    /// The rules that a caller may allow.
    pub(crate) const ALLOWABLE: &'static [Self] = &[
        Self::Link,
        Self::Submodule,
        Self::Ci,
        Self::HooksConfig,
        Self::AgentConfig,
        Self::DotFile,
        Self::Unprintable,
        Self::SecretInDiff,
        Self::UnverifiedDiff,
    ];

    /// Returns the name as `allow` takes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GitDir => "git_dir",
            Self::Outside => "outside",
            Self::Link => "link",
            Self::Submodule => "submodule",
            Self::Ci => "ci",
            Self::HooksConfig => "hooks_config",
            Self::AgentConfig => "agent_config",
            Self::DotFile => "dot_file",
            Self::Unprintable => "unprintable",
            Self::SecretInDiff => "secret_in_diff",
            Self::UnverifiedDiff => "unverified_diff",
            Self::BuildFile => "build_file",
        }
    }

    /// Returns whether a caller may allow it.
    pub(crate) fn is_allowable(self) -> bool {
        Self::ALLOWABLE.contains(&self)
    }

    /// Returns whether it is broken by where a file lies, so that naming the path allows it.
    pub(super) const fn is_of_place(self) -> bool {
        matches!(
            self,
            Self::Ci | Self::HooksConfig | Self::AgentConfig | Self::DotFile | Self::Unprintable
        )
    }

    /// Makes the finding that a path breaks it.
    pub(crate) fn finding(self, path: impl Into<String>) -> Finding {
        Finding::new(
            path.into(),
            self.name().to_owned(),
            self.message().to_owned(),
        )
    }

    /// Returns what is wrong with a change that breaks it.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::GitDir => "the path lies in a folder that is, or can be taken for, `.git`",
            Self::Outside => "the path leaves the tree",
            Self::Link => "it makes or changes a symbolic link",
            Self::Submodule => "it makes or changes a submodule",
            Self::Ci => "the file configures continuous integration or deployment",
            Self::HooksConfig => "the file makes a program run something by itself",
            Self::AgentConfig => "coding agents obey the file",
            Self::DotFile => "the file is hidden, or lies in a hidden folder: programs may obey it",
            Self::Unprintable => "the name holds characters that do not show",
            Self::SecretInDiff => "it holds a secret that is known here",
            Self::UnverifiedDiff => "another diff of the job was verified than this one",
            Self::BuildFile => "the file runs once somebody builds or tests",
        }
    }
}
