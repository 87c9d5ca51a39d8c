//! The assets themselves, which are inside the program.

use super::unit;
use crate::system::environment::Environment;

/// A file of the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asset {
    /// Its path below the `.claude` folder.
    pub(super) path: String,
    /// What is in it.
    pub(super) text: String,
    /// Its mode.
    pub(super) mode: u32,
}

/// Takes in the texts of slash commands by their names.
macro_rules! commands {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../slash_commands/commands/", $name, ".md")))),+]
    };
}

/// The slash commands: name and text.
const COMMANDS: &[(&str, &str)] = commands![
    "apply",
    "approve",
    "cancel",
    "investigate",
    "preflight",
    "queue",
    "review",
    "setup",
    "status",
    "waiting",
    "work",
];

const SKILL: &str = include_str!("../../../slash_commands/skills/legwork/SKILL.md");

const HOOK: &str = include_str!("../../../slash_commands/hooks/legwork-stop.sh");

/// Where artifacts are brought to unless the environment says otherwise, as the commands name it.
const USUAL_RESULTS: &str = "~/.local/state/legwork/results";

/// Returns where artifacts are brought to, as Claude Code writes it in a rule: `~/` is the home of the user, `//` the root.
pub(super) fn results(environment: &Environment) -> String {
    let results = environment.home().join("results");
    // A rule ends at a bracket, and the next one begins behind a comma.
    if results.to_string_lossy().contains(['(', ')', ',', '*']) {
        return USUAL_RESULTS.to_owned();
    }
    match results.strip_prefix(environment.user_home()) {
        Ok(below) => format!("~/{}", below.display()),
        Err(_) => format!("/{}", results.display()),
    }
}

/// Where the Stop hook lies below the `.claude` folder.
pub(super) const HOOK_PATH: &str = "hooks/legwork-stop.sh";

/// Folders that hold nothing but assets, innermost first.
pub(super) const FOLDERS: &[&str] = &["skills/legwork"];

/// Lists the files of a `.claude` folder; the hook only where it is asked for.
///
/// As loose files the commands are `/legwork-status` and not `/legwork:status`, and say so.
/// `results` is where artifacts are brought to here, as Claude Code writes it in a rule.
pub(super) fn files(hook: bool, results: &str) -> Vec<Asset> {
    let mut files: Vec<Asset> = COMMANDS
        .iter()
        .map(|(name, text)| Asset {
            path: format!("commands/legwork-{name}.md"),
            text: text
                .replace("/legwork:", "/legwork-")
                .replace(USUAL_RESULTS, results),
            mode: 0o644,
        })
        .collect();
    files.push(Asset {
        path: "skills/legwork/SKILL.md".to_owned(),
        text: SKILL.to_owned(),
        mode: 0o644,
    });
    if hook {
        files.push(Asset {
            path: HOOK_PATH.to_owned(),
            text: HOOK.to_owned(),
            mode: 0o755,
        });
    }
    files
}

/// Returns whether a path below the `.claude` folder may be an asset of this or another version.
pub(super) fn is_ours(path: &str) -> bool {
    let command = path
        .strip_prefix("commands/legwork-")
        .and_then(|rest| rest.strip_suffix(".md"))
        .is_some_and(|name| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        });
    command || path == "skills/legwork/SKILL.md" || path == HOOK_PATH || path == unit::PATH
}

/// Returns what a block in a file of instructions says: the skill without its front matter.
pub(super) fn instructions() -> &'static str {
    SKILL
        .strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n"))
        .map_or(SKILL, |(_, body)| body)
        .trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_is_known_as_one() {
        let files = files(true, USUAL_RESULTS);
        assert!(files.len() >= 9);
        for file in files {
            assert!(is_ours(&file.path), "{}", file.path);
            assert!(!file.text.contains("/legwork:"), "{}", file.path);
        }
        for path in [
            "commands/other.md",
            "commands/legwork-../x.md",
            "../commands/legwork-a.md",
            "settings.json",
        ] {
            assert!(!is_ours(path), "{path}");
        }
    }

    #[test]
    fn instructions_have_no_front_matter() {
        assert!(instructions().starts_with("# legwork"));
    }
}
