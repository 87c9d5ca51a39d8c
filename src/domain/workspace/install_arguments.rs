//! The arguments of a profile for `uv`, sorted by which of its commands take them.

/// What a profile's `install_arguments` say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct InstallArguments {
    /// For whatever installs: indexes and how things are built.
    pub(super) sources: Vec<String>,
    /// For the lock alone: versions that are asked for or ruled out.
    pub(super) lock: Vec<String>,
    /// Files that list what to install.
    pub(super) requirements: Vec<String>,
}

/// Options of all of `uv pip compile`, `sync` and `install`, with a value each.
const SOURCES: &[&str] = &[
    "--index",
    "--default-index",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--index-strategy",
    "--keyring-provider",
    "--allow-insecure-host",
    "--cert",
    "--config-file",
    "-C",
    "--config-setting",
    "--config-settings",
    "--config-settings-package",
    "--no-binary",
    "--only-binary",
    "--exclude-newer",
    "--exclude-newer-package",
    "--torch-backend",
    "--no-sources-package",
    "-b",
    "--build-constraint",
    "--build-constraints",
];

/// The same without a value.
const SWITCHES: &[&str] = &[
    "--no-index",
    "--no-build",
    "--no-build-isolation",
    "--no-sources",
    "--system-certs",
    "--native-tls",
];

/// Options that name a file with a list of requirements.
const REQUIREMENTS: &[&str] = &["-r", "--requirement", "--requirements"];

/// Options that make `uv pip install` do what making an environment anew does anyway, or that say how it prints.
const NEEDLESS: &[&str] = &[
    "--reinstall",
    "--force-reinstall",
    "-q",
    "--quiet",
    "-v",
    "--verbose",
    "--no-progress",
    "--compile-bytecode",
    "--compile",
];

impl InstallArguments {
    /// Sorts arguments. One that is not known goes to `uv pip compile`, which refuses what it does not know either.
    pub(super) fn sort(arguments: &[String]) -> Self {
        let mut sorted = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value)),
                _ => (argument.as_str(), None),
            };
            if NEEDLESS.contains(&name) {
            } else if REQUIREMENTS.contains(&name) {
                let file = value.map(str::to_owned).or_else(|| rest.next().cloned());
                sorted.requirements.extend(file);
            } else if SWITCHES.contains(&name) {
                sorted.sources.push(argument.clone());
            } else if SOURCES.contains(&name) {
                sorted.sources.push(argument.clone());
                if value.is_none() {
                    sorted.sources.extend(rest.next().cloned());
                }
            } else if argument == "--pre" {
                sorted.lock.push("--prerelease=allow".to_owned());
            } else {
                sorted.lock.push(argument.clone());
            }
        }
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::InstallArguments;

    #[test]
    fn each_argument_reaches_the_commands_that_take_it() {
        let words = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        let sorted = InstallArguments::sort(&words(
            "--no-index --find-links /w --pre -r a.txt --requirement=b.txt --constraint c.txt --index-url=u --reinstall",
        ));
        assert_eq!(
            sorted,
            InstallArguments {
                sources: words("--no-index --find-links /w --index-url=u"),
                lock: words("--prerelease=allow --constraint c.txt"),
                requirements: words("a.txt b.txt"),
            }
        );
    }
}
