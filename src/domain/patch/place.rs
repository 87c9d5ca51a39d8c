//! Which paths are not plainly source, and by which rule.
//!
//! A list of dangerous files can never be complete: every tool that appears brings a new one. So the default is turned
//! round. Whatever is hidden (a name that begins with a dot, anywhere in the path) is sensitive unless it is one of the
//! few that configure nothing; the tables below only say in whose hands a file is, so that a person can allow a kind of
//! file rather than all of them. Files without a dot are sensitive where a program is known to obey them unasked: on
//! opening a folder, on a checkout or commit, in continuous integration. Files that run once somebody builds or tests
//! are listed in the answer and need no naming, because genuine fixes change them.
//!
//! All comparisons are made on [`Parts`], which hold the names as the least careful file system would read them.

use super::{
    place_names::{
        AGENT_ENDINGS, AGENT_NAMES, BUILD_ENDINGS, BUILD_NAMES, BUILD_STEMS, CI_FOLDERS, CI_NAMES,
        CI_STEMS, CI_TOP_STEMS, DATA_ENDINGS, GIT_HOOKS, HARMLESS, HIDDEN_AGENT, HIDDEN_CI,
        HIDDEN_HOOKS, HOOK_FOLDERS, HOOKS_ENDINGS, HOOKS_NAMES, HOOKS_STEMS, SOURCE_ENDINGS,
    },
    rule::Rule,
};
use crate::contract::text;

/// The components of a path, each as the least careful file system sees it.
///
/// HFS+ drops invisible characters, NTFS drops trailing dots and spaces and whatever follows a colon, both ignore case,
/// and Windows takes a backslash for a slash.
pub(super) struct Parts(Vec<String>);

impl Parts {
    pub(super) fn of(path: &[u8]) -> Self {
        let text = String::from_utf8_lossy(path);
        Self(text.split(['/', '\\']).map(plain).collect())
    }

    /// Returns whether some file system takes a component for `.git`.
    pub(super) fn is_in_git_folder(&self) -> bool {
        self.0.iter().any(|part| {
            part == ".git"
                || part.strip_prefix("git~").is_some_and(|number| {
                    !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
                })
        })
    }

    /// Returns whether the path is, or can be taken for, the file that says where submodules come from.
    pub(super) fn is_submodules(&self) -> bool {
        self.0
            .iter()
            .any(|part| part == ".gitmodules" || part.starts_with("gitmod~"))
    }

    /// Returns the rule of a place that is not plainly source.
    pub(super) fn rule(&self) -> Option<Rule> {
        if self.is_ci() {
            Some(Rule::Ci)
        } else if self.is_agent_config() {
            Some(Rule::AgentConfig)
        } else if self.is_hooks_config() {
            Some(Rule::HooksConfig)
        } else if self.is_hidden() {
            Some(Rule::DotFile)
        } else if self.is_build_file() {
            Some(Rule::BuildFile)
        } else {
            None
        }
    }

    /// Returns the whole path in one spelling.
    pub(super) fn folded(&self) -> String {
        self.0.join("/")
    }

    /// Lists the folders that the path lies in, each in one spelling.
    pub(super) fn folders(&self) -> impl Iterator<Item = String> {
        (1..self.0.len()).map(|end| self.0[..end].join("/"))
    }

    fn name(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    fn top(&self) -> Option<&str> {
        (self.0.len() > 1).then(|| self.0[0].as_str())
    }

    /// Returns whether a component is one of these, whatever ending it has: `.drone` stands for `.drone.yml` too.
    fn has_stem(&self, stems: &[&str]) -> bool {
        self.0.iter().any(|part| {
            stems.iter().any(|stem| {
                part.strip_prefix(stem)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
            })
        })
    }

    /// Returns whether one of these stands directly below a folder, whatever ending it has.
    fn follows(&self, folder: &str, names: &[&str]) -> bool {
        self.0.windows(2).any(|pair| {
            let stem = pair[1].split('.').next();
            pair[0] == folder && names.iter().any(|name| stem == Some(name))
        })
    }

    /// Returns whether the path lies in one of some folders directly below another.
    fn is_below(&self, folder: &str, folders: &[&str]) -> bool {
        self.0
            .windows(3)
            .any(|three| three[0] == folder && folders.contains(&three[1].as_str()))
    }

    fn is_ci(&self) -> bool {
        let name = self.name();
        let (stem, ending) = cut(name);
        let is_jenkins = (stem == "jenkinsfile" || name.ends_with(".jenkinsfile"))
            && !SOURCE_ENDINGS.contains(&ending);
        self.has_stem(HIDDEN_CI)
            || self.is_below(".github", &["workflows", "actions"])
            || self.follows(".github", &["dependabot", "codeowners"])
            || self.top().is_some_and(|top| CI_FOLDERS.contains(&top))
            || CI_NAMES.contains(&name)
            || (stem == "action" && is_yaml(ending))
            || (DATA_ENDINGS.contains(&ending)
                && (CI_STEMS.contains(&stem) || self.0.len() == 1 && CI_TOP_STEMS.contains(&stem)))
            || (is_yaml(ending) && name.starts_with("azure-pipelines"))
            || is_jenkins
    }

    fn is_agent_config(&self) -> bool {
        let name = self.name();
        self.has_stem(HIDDEN_AGENT)
            || self.0.iter().any(|part| part.starts_with(".aider"))
            || self.follows(
                ".github",
                &[
                    "copilot-instructions",
                    "instructions",
                    "prompts",
                    "chatmodes",
                    "agents",
                    "skills",
                ],
            )
            || AGENT_NAMES.contains(&name)
            || AGENT_ENDINGS.iter().any(|ending| name.ends_with(ending))
    }

    fn is_hooks_config(&self) -> bool {
        let name = self.name();
        let (stem, ending) = cut(name);
        let is_in_bare_repository = self.0.len() > 1
            && self.0[..self.0.len() - 1].iter().any(|part| {
                part.strip_suffix(".git")
                    .is_some_and(|name| !name.is_empty())
            })
            && (name == "config" || self.0.iter().any(|part| part == "hooks"));
        self.has_stem(HIDDEN_HOOKS)
            || self
                .0
                .iter()
                .any(|part| part.starts_with("gitatt~") || HOOK_FOLDERS.contains(&part.as_str()))
            || HOOKS_NAMES.contains(&name)
            || HOOKS_STEMS.contains(&stem)
                && (DATA_ENDINGS.contains(&ending) || name.contains(".config."))
            || HOOKS_ENDINGS.iter().any(|ending| name.ends_with(ending))
            || GIT_HOOKS.contains(&stem) && (stem == name || self.follows("hooks", &[stem]))
            || is_in_bare_repository
    }

    /// Returns whether a component begins with a dot, or is a short name that Windows may give one that does.
    fn is_hidden(&self) -> bool {
        let last = self.0.len().saturating_sub(1);
        self.0.iter().enumerate().any(|(at, part)| {
            let is_harmless = at == last && HARMLESS.contains(&part.as_str());
            (part.starts_with('.') && !is_harmless) || is_short_name(part)
        })
    }

    fn is_build_file(&self) -> bool {
        let name = self.name();
        let (stem, ending) = cut(name);
        let is_at_top = self.0.len() == 1;
        BUILD_NAMES.contains(&name)
            || BUILD_STEMS.contains(&stem) && !SOURCE_ENDINGS.contains(&ending)
            || BUILD_ENDINGS.contains(&ending)
            || name.contains(".config.")
            || stem.ends_with("requirements") && ending == "txt"
            || is_at_top && (DATA_ENDINGS.contains(&ending) || name.ends_with("rc"))
    }
}

/// Returns a component as the least careful file system sees it.
fn plain(part: &str) -> String {
    // Folding by way of the capitals also joins letters such as the long s with the plain ones, as APFS does.
    let shown = text::strip(part).to_uppercase().to_lowercase();
    let stream = shown.split(':').next().unwrap_or_default();
    stream.trim_end_matches(['.', ' ']).to_owned()
}

/// Cuts a name at its first dot after the first character, and returns what stands before it and behind the last one.
fn cut(name: &str) -> (&str, &str) {
    let stem = match name.get(1..).and_then(|rest| rest.find('.')) {
        Some(dot) => &name[..=dot],
        None => name,
    };
    let ending = name[stem.len()..].rsplit('.').next().unwrap_or_default();
    (stem, ending)
}

fn is_yaml(ending: &str) -> bool {
    matches!(ending, "yml" | "yaml")
}

/// Returns whether a component has the form of a short name of NTFS and FAT, such as `GITHUB~1` or `GI7EBA~1.YML`.
fn is_short_name(part: &str) -> bool {
    let Some((before, after)) = part.split_once('~') else {
        return false;
    };
    let (digits, ending) = after.split_once('.').unwrap_or((after, ""));
    (1..=6).contains(&before.chars().count())
        && !digits.is_empty()
        && before.chars().count() + 1 + digits.len() <= 8
        && digits.chars().all(|c| c.is_ascii_digit())
        && ending.chars().count() <= 3
}
