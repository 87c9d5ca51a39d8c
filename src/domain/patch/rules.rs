//! What a change is refused for unless it is allowed by name.
//!
//! A new executable bit is no finding: running a repository's tests runs its files, whatever their mode.

use std::collections::HashSet;

use super::{
    allow::Allowances,
    diff::{Change, Patch},
    difference::Difference,
    path::RawPath,
    place::Parts,
    rule::Rule,
};
use crate::contract::details::Finding;

/// Makes the finding that other bytes were verified than these.
pub(crate) fn other_diff(sha256: &str, verified: &str) -> Finding {
    let rule = Rule::UnverifiedDiff;
    let message = format!(
        "{}: this one has the SHA-256 {sha256}, the verified one {verified}",
        rule.message()
    );
    Finding::new("", rule.name().to_owned(), message)
}

/// What a change does that is not plainly a change of source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// What is refused.
    pub(super) refused: Vec<Finding>,
    /// What is allowed by name, or needs no naming and is worth a look.
    pub(super) sensitive: Vec<Finding>,
}

impl Findings {
    pub(super) fn add(&mut self, rule: Rule, path: &RawPath, allow: &Allowances) {
        let path = path.to_string();
        let list = if rule == Rule::BuildFile || allow.covers(rule, &path) {
            &mut self.sensitive
        } else {
            &mut self.refused
        };
        let finding = rule.finding(path);
        if !list.contains(&finding) {
            list.push(finding);
        }
    }
}

/// One path that a change touches, and its modes before and after where they are known.
struct Touched<'a> {
    path: &'a RawPath,
    old_mode: Option<u32>,
    new_mode: Option<u32>,
}

/// Judges what a diff says it does, before git has read it.
pub(super) fn of_diff(patch: &Patch, allow: &Allowances) -> Findings {
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

/// Judges how one tree differs from another.
pub(super) fn of_differences(differences: &[Difference], allow: &Allowances) -> Findings {
    let touched = differences.iter().flat_map(|one| {
        let new = Touched {
            path: &one.path,
            old_mode: Some(one.old_mode),
            new_mode: Some(one.new_mode),
        };
        let old = one.renamed_from.as_ref().map(|path| Touched {
            path,
            old_mode: Some(one.old_mode),
            new_mode: None,
        });
        old.into_iter().chain([new])
    });
    findings(touched, allow)
}

/// Adds the files that lie behind a link of the same tree where names that differ in spelling alone are one name.
///
/// git keeps `docs` and `DOCS/x` apart. A checkout where they are the same writes the second through the first, which may
/// lead out of the tree.
pub(super) fn add_behind_links(
    findings: &mut Findings,
    differences: &[Difference],
    links: &[RawPath],
    allow: &Allowances,
) {
    let links: HashSet<String> = links
        .iter()
        .map(|link| Parts::of(link.bytes()).folded())
        .collect();
    for one in differences.iter().filter(|one| one.new_mode != 0) {
        if Parts::of(one.path.bytes())
            .folders()
            .any(|folder| links.contains(&folder))
        {
            findings.add(Rule::Link, &one.path, allow);
        }
    }
}

fn findings<'a>(touched: impl IntoIterator<Item = Touched<'a>>, allow: &Allowances) -> Findings {
    let mut findings = Findings::default();
    for one in touched {
        for rule in broken(&one) {
            findings.add(rule, one.path, allow);
        }
    }
    findings
}

fn broken(one: &Touched<'_>) -> Vec<Rule> {
    let parts = Parts::of(one.path.bytes());
    let mut rules = Vec::new();
    if parts.is_in_git_folder() {
        rules.push(Rule::GitDir);
    }
    if is_outside(&String::from_utf8_lossy(one.path.bytes())) {
        rules.push(Rule::Outside);
    }
    let is = |mode: Option<u32>, kind: u32| mode.is_some_and(|mode| mode & 0o170_000 == kind);
    if is(one.new_mode, 0o120_000) {
        rules.push(Rule::Link);
    }
    if is(one.old_mode, 0o160_000) || is(one.new_mode, 0o160_000) || parts.is_submodules() {
        rules.push(Rule::Submodule);
    } else if rules.is_empty() || rules == [Rule::Link] {
        rules.extend(parts.rule());
    }
    if !one.path.is_printable() {
        rules.push(Rule::Unprintable);
    }
    rules
}

fn is_outside(text: &str) -> bool {
    let mut parts = text.split(['/', '\\']);
    let drive = text.as_bytes().get(1) == Some(&b':')
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    // An empty component is a leading, trailing or doubled slash: git writes none of them.
    drive || parts.any(|part| matches!(part.trim_end_matches(' '), "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::{Allowances, RawPath, Rule, Touched, broken, of_diff};
    use crate::domain::patch::{Allow, Patch};

    fn of(path: impl Into<Vec<u8>>) -> Vec<Rule> {
        let path = RawPath::new(path);
        broken(&Touched {
            path: &path,
            old_mode: None,
            new_mode: Some(0o100_644),
        })
    }

    /// Reads a path of the table, in which what does not show stands as `\u{…}`, and a tab as `\t`.
    fn unescaped(text: &str) -> String {
        let mut path = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("\\u{") {
            let (digits, after) = after.split_once('}').expect("the end of an escape");
            path.push_str(before);
            let number = u32::from_str_radix(digits, 16).expect("a number");
            path.push(char::from_u32(number).expect("a character"));
            rest = after;
        }
        path + rest
    }

    #[test]
    fn every_place_of_the_table_breaks_its_rule() {
        let table = include_str!("../../../tests/data/patch/places.txt");
        let mut wrong = Vec::new();
        let mut rows = 0;
        for row in table.lines() {
            if row.is_empty() || row.starts_with('#') {
                continue;
            }
            let (rule, path) = row.split_once(' ').expect("a rule and a path");
            let path = unescaped(path);
            let found = of(path.as_bytes());
            // A name that does not show is a finding of its own beside the place.
            let mut places = found.iter().filter(|rule| **rule != Rule::Unprintable);
            let shown = places.next().map_or("-", |rule| rule.name());
            if shown != rule || places.next().is_some() {
                wrong.push(format!("{path:?}: {found:?}, not {rule}"));
            }
            rows += 1;
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(rows >= 400, "{rows}");
    }

    #[test]
    fn bytes_that_are_no_text_are_unprintable() {
        assert_eq!(of(vec![b'a', 0xff]), [Rule::Unprintable]);
    }

    #[test]
    fn two_rules_cannot_be_allowed() {
        let text = "diff --git a/.git/x b/.git/x\nnew file mode 120000\n--- /dev/null\n+++ b/.git/x\n@@ -0,0 +1 @@\n+a\n\
                    diff --git a/../x b/../x\nnew file mode 160000\n--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+a\n";
        let patch = Patch::parse(text.as_bytes()).unwrap();
        let all = [Rule::GitDir, Rule::Outside, Rule::Link, Rule::Submodule].map(Allow::rule);
        let rules = |allow: &[Allow]| -> Vec<String> {
            of_diff(&patch, &allow.iter().collect::<Allowances>())
                .refused
                .iter()
                .map(|finding| finding.rule().to_owned())
                .collect()
        };
        assert_eq!(rules(&[]), ["git_dir", "link", "outside", "submodule"]);
        assert_eq!(rules(&all), ["git_dir", "outside"]);
    }

    #[test]
    fn the_old_name_of_a_rename_is_looked_at_too() {
        let text = "diff --git a/.github/workflows/x b/y\nsimilarity index 100%\nrename from .github/workflows/x\nrename to y\n";
        let patch = Patch::parse(text.as_bytes()).unwrap();
        let found = of_diff(&patch, &Allowances::default()).refused;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].rule(), "ci");
    }
}
