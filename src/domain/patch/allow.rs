//! What a caller lets a diff do, by the name of a rule or of a path.

use std::{borrow::Cow, collections::BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::rule::Rule;

/// How an allowance of one path begins.
const PATH: &str = "path:";

/// One thing that is allowed: a rule by its name, or one path as `path:<path>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Allow(String);

impl Allow {
    /// Allows a rule.
    #[cfg(test)]
    pub(crate) fn rule(rule: Rule) -> Self {
        Self(rule.name().to_owned())
    }

    /// Allows a path.
    #[cfg(test)]
    pub(crate) fn path(path: &str) -> Self {
        Self(format!("{PATH}{path}"))
    }

    fn as_rule(&self) -> Option<Rule> {
        Rule::ALLOWABLE
            .iter()
            .copied()
            .find(|rule| rule.name() == self.0)
    }
}

impl JsonSchema for Allow {
    fn schema_name() -> Cow<'static, str> {
        "Allow".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = Rule::ALLOWABLE.iter().map(|rule| rule.name()).collect();
        json_schema!({
            "type": "string",
            "maxLength": 4200,
            "pattern": format!("^({}|{PATH}.+)$", names.join("|")),
        })
    }
}

/// All that is allowed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowances {
    rules: BTreeSet<Rule>,
    paths: Vec<String>,
}

impl Allowances {
    /// Returns whether a path may break a rule.
    ///
    /// A path stands for the place alone: a link, a submodule or a secret there needs its own rule, because who names a
    /// file for where it lies does not expect it to be one of those. A path that ends with a slash stands for all below.
    pub(super) fn covers(&self, rule: Rule, path: &str) -> bool {
        if !rule.is_allowable() {
            return false;
        }
        self.rules.contains(&rule)
            || rule.is_of_place()
                && self.paths.iter().any(|allowed| {
                    allowed == path || allowed.ends_with('/') && path.starts_with(allowed.as_str())
                })
    }

    /// Returns whether a rule is allowed wherever it is broken.
    pub(crate) fn holds(&self, rule: Rule) -> bool {
        rule.is_allowable() && self.rules.contains(&rule)
    }
}

impl<'a> FromIterator<&'a Allow> for Allowances {
    fn from_iter<T: IntoIterator<Item = &'a Allow>>(all: T) -> Self {
        let mut found = Self::default();
        for one in all {
            if let Some(path) = one.0.strip_prefix(PATH) {
                found.paths.push(path.to_owned());
            } else {
                found.rules.extend(one.as_rule());
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{Allow, Allowances, Rule};

    #[test]
    fn a_path_allows_its_place_and_nothing_else() {
        let given = [
            Allow::path(".github/workflows/x.yml"),
            Allow::path("a/"),
            Allow::rule(Rule::Link),
        ];
        let allowed: Allowances = given.iter().collect();
        assert!(allowed.covers(Rule::Ci, ".github/workflows/x.yml"));
        assert!(!allowed.covers(Rule::Ci, ".github/workflows/y.yml"));
        assert!(!allowed.covers(Rule::Submodule, ".github/workflows/x.yml"));
        assert!(!allowed.covers(Rule::SecretInDiff, ".github/workflows/x.yml"));
        assert!(allowed.covers(Rule::DotFile, "a/.b") && !allowed.covers(Rule::DotFile, "ab/.b"));
        assert!(allowed.covers(Rule::Link, "anything"));
        assert!(!allowed.covers(Rule::GitDir, "a/.git"));
        assert!(allowed.holds(Rule::Link) && !allowed.holds(Rule::Ci));
    }

    #[test]
    fn what_can_never_be_allowed_has_no_name() {
        for rule in [Rule::GitDir, Rule::Outside, Rule::BuildFile] {
            let given = [Allow::rule(rule)];
            let allowed: Allowances = given.iter().collect();
            assert!(!allowed.holds(rule));
        }
    }
}
