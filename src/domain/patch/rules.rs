//! What in a diff is refused unless its rule is allowed by name.
//!
//! A new executable bit is no finding: running a repository's tests runs its files, whatever their mode.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    diff::{Change, Patch},
    path::RawPath,
};
use crate::contract::{details::Finding, text};

/// Something that a diff must not touch unless it is allowed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rule {
    /// Anything inside a folder that some file system takes for `.git`. Can never be allowed.
    GitDir,
    /// A path that leaves the tree. Can never be allowed.
    Outside,
    /// A symbolic link that is made or changed.
    Link,
    /// A submodule, or the file that says where submodules come from.
    Submodule,
    /// The configuration of continuous integration, which runs with secrets.
    Ci,
    /// Files that make git, an editor, a shell or an agent run something by itself.
    HooksConfig,
    /// A path that does not show what it is: control, invisible or direction-changing characters, or not UTF-8.
    Unprintable,
}

impl Rule {
    /// Returns the name as `allow` takes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GitDir => "git_dir",
            Self::Outside => "outside",
            Self::Link => "link",
            Self::Submodule => "submodule",
            Self::Ci => "ci",
            Self::HooksConfig => "hooks_config",
            Self::Unprintable => "unprintable",
        }
    }

    /// Returns whether a caller may allow it.
    pub(crate) const fn is_allowable(self) -> bool {
        !matches!(self, Self::GitDir | Self::Outside)
    }

    const fn message(self) -> &'static str {
        match self {
            Self::GitDir => "the path lies in a folder that is, or can be taken for, `.git`",
            Self::Outside => "the path leaves the tree",
            Self::Link => "it makes or changes a symbolic link",
            Self::Submodule => "it makes or changes a submodule",
            Self::Ci => "the file configures continuous integration",
            Self::HooksConfig => "the file makes a program run something by itself",
            Self::Unprintable => "the name holds characters that do not show",
        }
    }
}

/// One path that a diff touches, and its modes before and after where they are known.
pub(crate) struct Touched<'a> {
    pub(crate) path: &'a RawPath,
    pub(crate) old_mode: Option<u32>,
    pub(crate) new_mode: Option<u32>,
}

/// Lists what a diff touches against the rules that are not allowed.
pub(crate) fn inspect(patch: &Patch, allow: &[Rule]) -> Vec<Finding> {
    let touched = patch.files.iter().flat_map(|file| {
        let new_mode = match file.change {
            Change::Delete => None,
            Change::Add | Change::Modify | Change::Mode | Change::Rename | Change::Copy => {
                file.new_mode.or(file.old_mode)
            }
        };
        let old = file.old.as_ref().filter(|_| file.old != file.new);
        let new = file.new.as_ref();
        [(old, None), (new, new_mode)]
            .into_iter()
            .filter_map(move |(path, new_mode)| {
                Some(Touched {
                    path: path?,
                    old_mode: file.old_mode,
                    new_mode,
                })
            })
    });
    findings(touched, allow)
}

/// Lists what a change touches against the rules that are not allowed.
pub(crate) fn findings<'a>(
    touched: impl IntoIterator<Item = Touched<'a>>,
    allow: &[Rule],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in touched {
        for rule in broken(&one) {
            if !(rule.is_allowable() && allow.contains(&rule)) {
                findings.push(Finding::new(
                    one.path.to_string(),
                    rule.name().to_owned(),
                    rule.message().to_owned(),
                ));
            }
        }
    }
    findings
}

fn broken(one: &Touched<'_>) -> Vec<Rule> {
    let text = String::from_utf8_lossy(one.path.bytes());
    // Windows takes a backslash for a slash; wherever the tree is checked out, both are looked at.
    let parts: Vec<String> = text.split(['/', '\\']).map(plain).collect();
    let lower = text.to_lowercase();
    let mut rules = Vec::new();
    if parts.iter().any(|part| is_git_dir(part)) {
        rules.push(Rule::GitDir);
    }
    if is_outside(&text) {
        rules.push(Rule::Outside);
    }
    if one
        .new_mode
        .is_some_and(|mode| mode & 0o170_000 == 0o120_000)
    {
        rules.push(Rule::Link);
    }
    let gitlink = |mode: Option<u32>| mode.is_some_and(|mode| mode & 0o170_000 == 0o160_000);
    if gitlink(one.old_mode)
        || gitlink(one.new_mode)
        || parts
            .iter()
            .any(|part| part == ".gitmodules" || part.starts_with("gitmod~"))
    {
        rules.push(Rule::Submodule);
    }
    if matches_any(&lower, CI) {
        rules.push(Rule::Ci);
    }
    if matches_any(&lower, HOOKS) || parts.last().is_some_and(|name| is_hooks_file(name)) {
        rules.push(Rule::HooksConfig);
    }
    if !one.path.is_printable() {
        rules.push(Rule::Unprintable);
    }
    rules
}

/// Returns a component as the least careful file system sees it.
///
/// HFS+ drops invisible characters, NTFS drops trailing dots and spaces and whatever follows a colon, both ignore case.
fn plain(part: &str) -> String {
    let shown = text::strip(part).to_lowercase();
    let stream = shown.split(':').next().unwrap_or_default();
    stream.trim_end_matches(['.', ' ']).to_owned()
}

fn is_git_dir(part: &str) -> bool {
    part == ".git"
        || part
            .strip_prefix("git~")
            .is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

fn is_outside(text: &str) -> bool {
    let mut parts = text.split(['/', '\\']);
    let drive = text.as_bytes().get(1) == Some(&b':')
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    // An empty component is a leading, trailing or doubled slash: git writes none of them.
    drive || parts.any(|part| matches!(part.trim_end_matches(' '), "" | "." | ".."))
}

/// Files and folders, at the top of the tree, that configure continuous integration.
const CI: &[&str] = &[
    ".github/workflows",
    ".github/actions",
    "action.yml",
    "action.yaml",
    ".github/dependabot.yml",
    ".github/dependabot.yaml",
    ".gitlab-ci.yml",
    ".gitlab-ci.yaml",
    ".gitlab/ci",
    ".circleci",
    "jenkinsfile",
    ".jenkins",
    "azure-pipelines.yml",
    "azure-pipelines.yaml",
    ".azure-pipelines",
    ".azuredevops",
    ".travis.yml",
    ".buildkite",
    ".drone.yml",
    ".drone.yaml",
    ".drone.star",
    "bitbucket-pipelines.yml",
    ".woodpecker",
    ".woodpecker.yml",
    ".woodpecker.yaml",
    ".gitea/workflows",
    ".forgejo/workflows",
    ".appveyor.yml",
    "appveyor.yml",
    ".cirrus.yml",
    ".cirrus.star",
    ".semaphore",
    ".teamcity",
    ".tekton",
    ".builds",
    ".build.yml",
    "cloudbuild.yaml",
    "cloudbuild.yml",
    "buildspec.yml",
    "codefresh.yml",
    "wercker.yml",
    ".screwdriver.yaml",
    "screwdriver.yaml",
    ".ci",
];

/// Files and folders, at the top of the tree, by which a program runs something unasked.
const HOOKS: &[&str] = &[
    ".husky",
    ".githooks",
    ".git-hooks",
    ".pre-commit-config.yaml",
    ".pre-commit-config.yml",
    ".pre-commit-hooks.yaml",
    "lefthook.yml",
    "lefthook.yaml",
    ".lefthook.yml",
    ".lefthook",
    ".overcommit.yml",
    ".lintstagedrc",
    ".devcontainer",
    ".devcontainer.json",
    ".gitpod.yml",
    ".idea",
    ".fleet",
    ".zed",
];

/// Names of files that do so in any folder.
fn is_hooks_file(name: &str) -> bool {
    matches!(
        name,
        ".gitattributes"
            | ".gitconfig"
            | ".envrc"
            | ".mise.toml"
            | "mise.toml"
            | ".tool-versions"
            | ".mcp.json"
            | ".vimrc"
            | ".nvimrc"
            | ".exrc"
            | ".dir-locals.el"
            | ".npmrc"
            | ".yarnrc"
            | ".yarnrc.yml"
            | ".pnpmfile.cjs"
    ) || name.starts_with("gitatt~")
}

fn matches_any(path: &str, list: &[&str]) -> bool {
    let folders = [
        ".vscode/",
        ".claude/",
        ".cursor/",
        ".codex/",
        ".gemini/",
        ".opencode/",
    ];
    list.iter().any(|entry| {
        path.strip_prefix(entry)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }) || (std::ptr::eq(list, HOOKS)
        && folders
            .iter()
            .any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}"))))
}

#[cfg(test)]
mod tests {
    use super::{RawPath, Rule, Touched, broken, inspect};
    use crate::domain::patch::Patch;

    fn of(path: &str) -> Vec<Rule> {
        let path = RawPath::new(path);
        broken(&Touched {
            path: &path,
            old_mode: None,
            new_mode: Some(0o100_644),
        })
    }

    #[test]
    fn whatever_a_file_system_takes_for_the_git_folder_is_found() {
        for path in [
            ".git/config",
            ".GIT/hooks/x",
            "sub/.git/config",
            ".git",
            ".git /config",
            ".git./config",
            ".git. . /x",
            "git~1/config",
            "GIT~2/x",
            ".g\u{200c}it/config",
            ".gi\u{feff}t/x",
            ".git::$INDEX_ALLOCATION/config",
            "a\\.git\\config",
        ] {
            assert!(of(path).contains(&Rule::GitDir), "{path:?}");
        }
        for path in [
            "git",
            ".github/x",
            ".gitignore",
            "x.git/y",
            "git~/x",
            "src/git.rs",
        ] {
            assert_eq!(of(path), [], "{path:?}");
        }
    }

    #[test]
    fn paths_that_leave_the_tree_are_found() {
        for path in [
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a//b",
            "a/./b",
            "C:/x",
            "a\\..\\b",
            "a/",
        ] {
            assert!(of(path).contains(&Rule::Outside), "{path:?}");
        }
        assert_eq!(of("a/..b/...c"), []);
    }

    #[test]
    fn files_that_run_by_themselves_are_found() {
        for path in [
            ".github/workflows/x.yml",
            ".GitHub/Workflows/x.yml",
            ".gitlab-ci.yml",
            "Jenkinsfile",
            ".circleci/config.yml",
            ".woodpecker/x.yml",
        ] {
            assert_eq!(of(path), [Rule::Ci], "{path:?}");
        }
        for path in [
            ".husky/pre-commit",
            "sub/.gitattributes",
            ".vscode/tasks.json",
            "x/.claude/settings.json",
        ] {
            assert_eq!(of(path), [Rule::HooksConfig], "{path:?}");
        }
        assert_eq!(of(".gitmodules"), [Rule::Submodule]);
        assert_eq!(of("a\u{202e}b"), [Rule::Unprintable]);
        for path in [
            "src/jenkinsfile.rs",
            "docs/.github/workflows.md",
            ".github/ISSUE_TEMPLATE.md",
        ] {
            assert_eq!(of(path), [], "{path:?}");
        }
    }

    #[test]
    fn two_rules_cannot_be_allowed() {
        let text = "diff --git a/.git/x b/.git/x\nnew file mode 120000\n--- /dev/null\n+++ b/.git/x\n@@ -0,0 +1 @@\n+a\n\
                    diff --git a/../x b/../x\nnew file mode 160000\n--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+a\n";
        let patch = Patch::parse(text.as_bytes()).unwrap();
        let all = [Rule::GitDir, Rule::Outside, Rule::Link, Rule::Submodule];
        let rules = |allow: &[Rule]| -> Vec<String> {
            inspect(&patch, allow)
                .into_iter()
                .map(|finding| finding.rule().to_owned())
                .collect()
        };
        assert_eq!(rules(&[]), ["git_dir", "link", "outside", "submodule"]);
        assert_eq!(rules(&all), ["git_dir", "outside"]);
        for rule in all {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.name());
        }
    }

    #[test]
    fn the_old_name_of_a_rename_is_looked_at_too() {
        let text = "diff --git a/.github/workflows/x b/y\nsimilarity index 100%\nrename from .github/workflows/x\nrename to y\n";
        let found = inspect(&Patch::parse(text.as_bytes()).unwrap(), &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].rule(), "ci");
    }
}
