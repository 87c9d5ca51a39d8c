//! Which changes of a configuration file matter to a test.
//!
//! A version, a description or a list of authors is read by no runner. Files of other formats count whole.

use serde_json::Value;

/// Keys of the tables of a package that nothing reads before a test.
const HARMLESS: &[&str] = &[
    "version",
    "description",
    "readme",
    "license",
    "license-files",
    "license_files",
    "authors",
    "author",
    "author_email",
    "maintainers",
    "maintainer",
    "maintainer_email",
    "contributors",
    "keywords",
    "classifiers",
    "categories",
    "urls",
    "url",
    "project_urls",
    "homepage",
    "repository",
    "documentation",
    "bugs",
    "funding",
    "long_description",
    "long_description_content_type",
    "rust-version",
    "edition",
];

/// What an environment is made from, which is compared on its own.
const ENVIRONMENT: &[&str] = &[
    "dependencies",
    "dev-dependencies",
    "build-dependencies",
    "devDependencies",
    "peerDependencies",
    "optionalDependencies",
    "optional-dependencies",
    "install_requires",
    "requires-python",
    "python_requires",
    "engines",
];

/// The most bytes of a file that are compared by what they say.
const MAX_BYTES: usize = 1 << 20;

/// Returns whether a change of a file that [is configuration](super::is_runner_configuration) can change what a runner or
/// a build tool does. `None` stands for a file that is not there.
pub(crate) fn configuration_changed(path: &str, before: Option<&str>, after: Option<&str>) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
    let (Some(before), Some(after)) = (before, after) else {
        return true;
    };
    if before.len() > MAX_BYTES || after.len() > MAX_BYTES {
        return before != after;
    }
    let read: fn(&str) -> Option<Value> = match name.as_str() {
        "package.json" | "composer.json" => |text| serde_json::from_str(text).ok(),
        "pyproject.toml" | "cargo.toml" => |text| toml::from_str(text).ok(),
        "setup.cfg" => |text| Some(sections(text)),
        // Locks say which versions are installed and nothing else.
        "cargo.lock"
        | "uv.lock"
        | "poetry.lock"
        | "pdm.lock"
        | "package-lock.json"
        | "npm-shrinkwrap.json"
        | "yarn.lock"
        | "pnpm-lock.yaml"
        | "go.sum"
        | "composer.lock"
        | "gemfile.lock" => return false,
        _ => return before != after,
    };
    match (read(before), read(after)) {
        (Some(mut before), Some(mut after)) => {
            forget(&mut before);
            forget(&mut after);
            before != after
        }
        _ => before != after,
    }
}

/// Takes away what no runner reads.
fn forget(value: &mut Value) {
    let tables: &[&[&str]] = &[
        &[],
        &["project"],
        &["package"],
        &["workspace", "package"],
        &["metadata"],
        &["options"],
        &["tool", "poetry"],
    ];
    for path in tables {
        let table = path
            .iter()
            .try_fold(&mut *value, |value, key| value.get_mut(*key));
        if let Some(Value::Object(table)) = table {
            table.retain(|key, _| {
                !HARMLESS.contains(&key.as_str()) && !ENVIRONMENT.contains(&key.as_str())
            });
        }
    }
}

/// Reads the sections of an INI file.
fn sections(text: &str) -> Value {
    let mut all = serde_json::Map::new();
    let mut section = String::new();
    let mut key = String::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            name.clone_into(&mut section);
            key.clear();
            continue;
        }
        let is_more = line.starts_with([' ', '\t']) && !key.is_empty();
        let mut value = trimmed;
        if !is_more {
            let (name, rest) = trimmed.split_once(['=', ':']).unwrap_or((trimmed, ""));
            name.trim().clone_into(&mut key);
            value = rest.trim();
        }
        let table = all
            .entry(section.clone())
            .or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Value::Object(table) = table {
            let text = table
                .entry(key.clone())
                .or_insert_with(|| Value::String(String::new()));
            if let Value::String(text) = text {
                text.push_str(value);
                text.push('\n');
            }
        }
    }
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use super::configuration_changed;

    #[test]
    fn a_version_is_no_configuration_and_a_script_is() {
        let changed = |path, before, after| configuration_changed(path, Some(before), Some(after));
        let harmless = [
            (
                "package.json",
                r#"{"version":"1","scripts":{"test":"jest"}}"#,
                r#"{"scripts":{"test":"jest"},"version":"2","description":"x"}"#,
            ),
            (
                "package.json",
                r#"{"dependencies":{"a":"1"}}"#,
                r#"{"dependencies":{"a":"2"}}"#,
            ),
            (
                "pyproject.toml",
                "[project]\nversion = '1'\n[tool.pytest.ini_options]\naddopts = '-q'\n",
                "[project]\nversion = '2'\n[tool.pytest.ini_options]\naddopts='-q'\n",
            ),
            (
                "Cargo.toml",
                "[package]\nname='a'\nversion='1.0.0'\n",
                "[package]\nname='a'\nversion='1.0.1'\n",
            ),
            (
                "setup.cfg",
                "[metadata]\nversion = 1\n[tool:pytest]\naddopts = -q\n",
                "[metadata]\nversion = 2\n# x\n[tool:pytest]\naddopts=-q\n",
            ),
            ("Cargo.lock", "a", "b"),
        ];
        for (path, before, after) in harmless {
            assert!(!changed(path, before, after), "{path} {after}");
        }
        let real = [
            (
                "package.json",
                r#"{"scripts":{"test":"jest"}}"#,
                r#"{"scripts":{"test":"true"}}"#,
            ),
            ("package.json", r#"{"main":"a.js"}"#, r#"{"main":"b.js"}"#),
            (
                "package.json",
                r#"{"jest":{}}"#,
                r#"{"jest":{"setupFiles":["./x.js"]}}"#,
            ),
            ("package.json", "{}", "{"),
            (
                "pyproject.toml",
                "[project]\nversion = '1'\n",
                "[project]\nversion = '1'\n[tool.pytest.ini_options]\naddopts = '-p x'\n",
            ),
            (
                "pyproject.toml",
                "[project]\nname = 'a'\n",
                "[project]\nname = 'a'\n[project.entry-points.pytest11]\nx = 'x'\n",
            ),
            (
                "Cargo.toml",
                "[package]\nname='a'\n",
                "[package]\nname='a'\n[[test]]\nname='t'\nharness=false\n",
            ),
            (
                "setup.cfg",
                "[tool:pytest]\naddopts = -q\n",
                "[tool:pytest]\naddopts = -q\n    -p x\n",
            ),
            ("Makefile", "test:\n\tpytest\n", "test:\n\ttrue\n"),
            ("conftest.py", "", "x"),
        ];
        for (path, before, after) in real {
            assert!(changed(path, before, after), "{path} {after}");
        }
        assert!(configuration_changed("pyproject.toml", None, Some("")));
        assert!(configuration_changed("package.json", Some("{}"), None));
    }
}
