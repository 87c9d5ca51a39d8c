//! Which files of a tree are tests, and which are read before the first test.
//!
//! By rule where there is one: what a name, a folder or an ending says to the tools of a language. What cannot be told by
//! its path is not a test; `tests` patterns of the caller override every rule. Rules err towards source: a source file that
//! is taken for a test would be put beside the unfixed code, and the problem would not show there.

use super::{Error, module_names, pattern::Pattern};

/// Which paths are tests: the rules, or the patterns that the caller gave instead of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestFiles {
    patterns: Vec<Pattern>,
}

impl TestFiles {
    /// Reads the patterns of a caller; none leaves it to the rules.
    pub(crate) fn new(patterns: &[String]) -> Result<Self, Error> {
        let patterns = patterns
            .iter()
            .map(|pattern| Pattern::new(pattern))
            .collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }

    /// Returns whether a path below the top of the tree is a test, or belongs to tests: data, snapshots, helpers.
    pub(crate) fn has(&self, path: &str) -> bool {
        if self.patterns.is_empty() {
            is_test(path)
        } else {
            self.patterns.iter().any(|pattern| pattern.matches(path))
        }
    }
}

/// Folders that hold tests and what belongs to them, wherever they are.
const TEST_FOLDERS: &[&str] = &[
    "tests",
    "__tests__",
    "__test__",
    "__mocks__",
    "__snapshots__",
    "__fixtures__",
    "spec",
    "specs",
    "testdata",
    "test-data",
    "test_data",
    "testsuite",
    "test-suite",
    "e2e",
    "cypress",
    "unittests",
    "unit_tests",
    "integration_tests",
    "functional_tests",
];

/// Endings of source files, by which a file in a folder named `test` is told from what lies beside it.
const SOURCES: &[&str] = &[
    "c", "cc", "cjs", "clj", "cpp", "cs", "cts", "cxx", "dart", "erl", "ex", "exs", "go", "h",
    "hpp", "hs", "java", "jl", "js", "jsx", "kt", "lua", "m", "mjs", "ml", "mts", "php", "pl",
    "pm", "py", "pyi", "pyx", "r", "rb", "rs", "scala", "sh", "swift", "ts", "tsx", "vue", "zig",
];

/// Whether a path is a test by the rules of the languages.
fn is_test(path: &str) -> bool {
    let lower = path.to_lowercase();
    let parts: Vec<&str> = lower.split('/').collect();
    let Some((name, folders)) = parts.split_last() else {
        return false;
    };
    if folders.iter().any(|folder| TEST_FOLDERS.contains(folder)) {
        // The folder of a package of tools for tests, such as `pkg/testing`, is none of these.
        return true;
    }
    let original = path.rsplit('/').next().unwrap_or_default();
    if is_test_name(original) {
        return true;
    }
    let (_, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    // `test` at the top or below `src` holds tests; deeper it is as often a part of the product, as in `django/test`.
    match folders
        .iter()
        .position(|folder| *folder == "test" || *folder == "t")
    {
        None => false,
        Some(0) => folders[0] == "test" || matches!(ending, "t" | "sh" | "pl"),
        Some(at) => {
            folders[at] == "test"
                && (folders[at - 1] == "src"
                    || !SOURCES.contains(&ending)
                    || !matches!(ending, "py" | "pyi" | "rs" | "go" | "java"))
        }
    }
}

/// Whether a file's name alone says that it is a test.
fn is_test_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    let (stem, ending) = lower.rsplit_once('.').unwrap_or((&lower, ""));
    let camel = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    match ending {
        "py" => {
            stem.starts_with("test_")
                || stem.ends_with("_test")
                || matches!(stem, "test" | "tests" | "conftest")
                || stem.ends_with("_tests")
        }
        "go" => stem.ends_with("_test"),
        "rs" => {
            matches!(stem, "test" | "tests")
                || stem.ends_with("_test")
                || stem.ends_with("_tests")
                || stem.starts_with("test_")
        }
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" | "svelte"
        | "coffee" => {
            let last = stem.rsplit(['.', '_', '-']).next().unwrap_or_default();
            matches!(last, "test" | "tests" | "spec" | "cy" | "e2e")
                && stem.contains(['.', '_', '-'])
                || matches!(stem, "test" | "tests" | "spec")
                || stem.starts_with("test-")
                || stem.starts_with("test_")
                || stem.starts_with("test.")
        }
        "snap" | "bats" => true,
        "t" => true,
        "c" | "cc" | "cpp" | "cxx" | "h" | "hpp" | "m" | "mm" | "zig" | "d" | "nim" => {
            stem.starts_with("test_")
                || stem.starts_with("test-")
                || stem.starts_with("check_")
                || ["_test", "-test", "_tests", "-tests", "_unittest", "_gtest"]
                    .iter()
                    .any(|end| stem.ends_with(end))
                || matches!(stem, "test" | "tests")
                || camel.ends_with("Test")
                || camel.ends_with("Tests")
        }
        "java" | "kt" | "kts" | "scala" | "groovy" | "cs" | "fs" | "vb" | "php" | "swift" => {
            ["Test", "Tests", "IT", "Spec", "TestCase"]
                .iter()
                .any(|end| camel.len() > end.len() && camel.ends_with(end))
                || camel.starts_with("Test") && camel[4..].starts_with(char::is_uppercase)
        }
        "rb" | "ex" | "exs" | "erl" | "clj" | "cljs" | "dart" | "lua" | "jl" | "ml" | "hs"
        | "pl" | "r" => {
            stem.ends_with("_test")
                || stem.ends_with("_spec")
                || stem.starts_with("test_")
                || stem.starts_with("test-")
                || matches!(stem, "test" | "tests" | "runtests")
                || stem.ends_with("_suite")
                || camel.ends_with("Spec")
        }
        "sh" | "bash" | "zsh" | "fish" | "ksh" => {
            stem.starts_with("test_")
                || stem.starts_with("test-")
                || stem.ends_with("_test")
                || stem.ends_with("-test")
                || matches!(stem, "test" | "tests")
        }
        _ => false,
    }
}

/// Folders of which everything is read by an interpreter or a tool on its own account.
const STARTUP_FOLDERS: &[&str] = &[
    "node_modules",
    "site-packages",
    "dist-packages",
    "__pycache__",
    ".venv",
    "venv",
    ".pnp",
    ".yarn",
];

/// Returns whether an interpreter, a loader or a shell reads a file when it starts.
///
/// A file that is new and takes the place of something else is told by [`shadowed`].
pub(crate) fn is_startup(path: &str) -> bool {
    let lower = path.to_lowercase();
    let parts: Vec<&str> = lower.split('/').collect();
    let Some((name, folders)) = parts.split_last() else {
        return false;
    };
    if folders.iter().any(|folder| {
        STARTUP_FOLDERS.contains(folder)
            || folder.ends_with(".egg-info")
            || folder.ends_with(".dist-info")
    }) {
        return true;
    }
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    // Python: what `site` imports or reads; compiled code wins over source or stands in its place.
    matches!(stem, "sitecustomize" | "usercustomize" | "pythonstartup")
        || matches!(ending, "pth" | "pyc" | "pyo" | "pyd" | "egg-link" | "egg")
        || matches!(*name, "pyvenv.cfg" | "python.cfg" | "ld.so.preload" | "ld.so.conf" | ".pnp.cjs" | ".pnp.loader.mjs")
        // What a loader maps: LD_PRELOAD, RUNPATH, DYLD_INSERT_LIBRARIES, extension modules.
        || is_library(name)
        // Shells, interpreters, debuggers and package managers read these in the folder they start in or in HOME.
        || name.starts_with('.') && is_start_up_dot_file(name)
}

fn is_library(name: &str) -> bool {
    [".so", ".dylib", ".dll", ".node", ".wasm"]
        .iter()
        .any(|end| name.ends_with(end))
        || name.contains(".so.")
}

/// `.bashrc`, `.npmrc`, `.noderc.js`, `.pythonrc.py`, `.envrc`, `.env`: what ends with `rc`, `env`, `profile` or `init`.
fn is_start_up_dot_file(name: &str) -> bool {
    let stem = name[1..].split('.').next().unwrap_or_default();
    // What says how text is formatted or checked is configuration, and is read by nothing that runs a test.
    let is_of_editor = matches!(
        stem,
        "prettierrc"
            | "eslintrc"
            | "stylelintrc"
            | "pylintrc"
            | "editorconfig"
            | "markdownlintrc"
            | "jshintrc"
            | "swcrc"
            | "babelrc"
            | "mocharc"
            | "nycrc"
            | "c8rc"
            | "coveragerc"
            | "jestrc"
            | "taprc"
            | "avarc"
            | "browserslistrc"
    );
    !is_of_editor
        && (stem.ends_with("rc")
            || stem.ends_with("env")
            || stem.ends_with("profile")
            || stem.ends_with("init")
            || matches!(
                stem,
                "login" | "logout" | "pnp" | "bash_aliases" | "gitconfig" | "netrc" | "lldbinit"
            ))
}

/// Returns the module, header or program of which a file takes the place where its folder is searched first.
///
/// Python puts the folder of a script or of a test, and with `-m` the one it is called in, before its own library; a C
/// compiler puts `-I` folders before the system's; a shell runs what `./` or `PATH` names.
pub(crate) fn shadowed(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let (name, folders) = parts.split_last()?;
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    match ending {
        "py" | "pyx" | "so" | "pyd" => {
            // The first folder below the top of an import path is a package, the file itself is a module.
            let first = folders.iter().position(|folder| !is_import_top(folder));
            let module = match first {
                None => stem.split('.').next().unwrap_or(stem),
                Some(at) => folders[at],
            };
            module_names::is_python(module).then(|| module.to_owned())
        }
        "h" => {
            let is_top = folders
                .iter()
                .all(|folder| matches!(*folder, "include" | "src" | "inc" | "test" | "tests"));
            (is_top && module_names::is_c_header(stem)).then(|| (*name).to_owned())
        }
        "" => module_names::is_program(name).then(|| (*name).to_owned()),
        _ => None,
    }
}

/// Folders that are put on Python's path as a whole.
fn is_import_top(folder: &str) -> bool {
    matches!(
        folder,
        "src" | "lib" | "python" | "test" | "tests" | "testing" | "scripts" | "bin" | "." | ""
    )
}

/// Returns whether a test runner or a build tool reads a file before the first test, by its path.
///
/// Some of these files also hold what no tool reads before a test, such as a version: see
/// [`configuration_changed`](super::configuration_changed).
pub(crate) fn is_runner_configuration(path: &str) -> bool {
    let lower = path.to_lowercase();
    let parts: Vec<&str> = lower.split('/').collect();
    let Some((name, folders)) = parts.split_last() else {
        return false;
    };
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    // Dot files and dot folders configure tools; a few are read by none that runs anything.
    if name.starts_with('.') && !is_harmless_dot(name)
        || folders.iter().any(|folder| is_tool_folder(folder))
    {
        return true;
    }
    let is_data = folders.iter().any(|folder| is_data_folder(folder));
    let is_top = folders.is_empty();
    match ending {
        "py" => {
            matches!(stem, "conftest" | "noxfile" | "fabfile" | "dodo" | "setup")
                || is_top && stem == "tasks"
        }
        "rs" => stem == "build",
        _ if is_script(ending) => is_script_configuration(stem, folders),
        _ if is_build_file(name, stem, ending) => true,
        _ if is_tool_format(ending) => !is_data,
        "json" | "jsonc" | "json5" | "yaml" | "yml" | "xml" => {
            !is_data && (is_top || is_known_data_configuration(name))
        }
        _ => false,
    }
}

/// Dot folders of tools; those of forges and editors are read by nothing that runs a test.
fn is_tool_folder(folder: &str) -> bool {
    let is_other = matches!(
        folder,
        "." | ".."
            | ".github"
            | ".gitlab"
            | ".circleci"
            | ".vscode"
            | ".idea"
            | ".changeset"
            | ".changes"
    );
    folder.starts_with('.') && !is_other
}

/// What JavaScript's tools call their configuration: `jest.config.js`, `karma.conf.ts`, `gulpfile.mjs`.
fn is_script_configuration(stem: &str, folders: &[&str]) -> bool {
    const FILES: &[&str] = &[
        "gulpfile",
        "gruntfile",
        "jakefile",
        "brocfile",
        "karma",
        "setuptests",
        "setup-tests",
        "setup_tests",
        "jest-setup",
        "vitest-setup",
        "test-setup",
        "testsetup",
        "setup-jest",
        "setupjest",
        "global-setup",
        "globalsetup",
    ];
    const WORDS: &[&str] = &[
        "config",
        "conf",
        "setup",
        "preload",
        "loader",
        "register",
        "hooks",
        "workspace",
    ];
    let (head, last) = stem.rsplit_once('.').unwrap_or(("", stem));
    // Alone these words name configuration only beside it: at the top and among the tests.
    let is_beside = folders
        .last()
        .is_none_or(|folder| *folder == "test" || TEST_FOLDERS.contains(folder));
    FILES.contains(&stem) || WORDS.contains(&last) && (!head.is_empty() || is_beside)
}

/// Formats that only tools read, wherever no data of tests lies.
fn is_tool_format(ending: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "toml", "ini", "cfg", "mk", "cmake", "gradle", "bazel", "bzl", "nix", "sbt", "pro",
        "props", "targets", "csproj", "fsproj", "vbproj", "sln", "gemspec", "podspec", "cabal",
        "opam", "rake", "ac", "am", "m4", "gyp", "gypi", "gn", "spec", "lock",
    ];
    ENDINGS.contains(&ending)
}

fn is_script(ending: &str) -> bool {
    matches!(
        ending,
        "js" | "cjs" | "mjs" | "ts" | "cts" | "mts" | "jsx" | "tsx"
    )
}

fn is_harmless_dot(name: &str) -> bool {
    matches!(
        name,
        ".gitignore"
            | ".gitattributes"
            | ".gitkeep"
            | ".keep"
            | ".editorconfig"
            | ".mailmap"
            | ".git-blame-ignore-revs"
            | ".dockerignore"
            | ".npmignore"
            | ".prettierignore"
            | ".eslintignore"
            | ".clang-format"
            | ".all-contributorsrc"
    )
}

fn is_build_file(name: &str, stem: &str, ending: &str) -> bool {
    const NAMES: &[&str] = &[
        "makefile",
        "gnumakefile",
        "bsdmakefile",
        "kbuild",
        "kconfig",
        "cmakelists.txt",
        "ctesttestfile.cmake",
        "meson.build",
        "meson_options.txt",
        "meson.options",
        "configure",
        "config.status",
        "autogen.sh",
        "bootstrap.sh",
        "bootstrap",
        "justfile",
        "rakefile",
        "gemfile",
        "guardfile",
        "podfile",
        "brewfile",
        "procfile",
        "vagrantfile",
        "jenkinsfile",
        "dockerfile",
        "containerfile",
        "earthfile",
        "build",
        "build.zig",
        "workspace",
        "buck",
        "tup",
        "tupfile",
        "jamfile",
        "jamroot",
        "go.mod",
        "go.sum",
        "go.work",
        "go.work.sum",
        "manifest.in",
        "rust-toolchain",
        "build.sh",
        "test.mk",
        "phpunit.xml.dist",
        "gradlew",
        "mvnw",
        "mix.exs",
        "rebar.config",
        "dune",
        "dune-project",
        "stack.yaml",
        "package.swift",
        "project.clj",
        "deps.edn",
        "cpanfile",
        "build.pl",
        "makefile.pl",
        "dist.ini",
        "description",
        "namespace",
    ];
    NAMES.contains(&name)
        || matches!(stem, "makefile" | "gnumakefile" | "dockerfile" | "justfile")
        || name.starts_with("makefile.")
        || name.starts_with("configure.")
        || ending == "in" && matches!(stem, "makefile" | "configure" | "config.h")
        || ending == "kts" && stem.ends_with(".gradle")
}

/// Data that tools read by its name wherever it lies.
fn is_known_data_configuration(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    matches!(
        stem,
        "package"
            | "package-lock"
            | "npm-shrinkwrap"
            | "pnpm-lock"
            | "pnpm-workspace"
            | "lerna"
            | "nx"
            | "turbo"
            | "project"
            | "deno"
            | "tsconfig"
            | "jsconfig"
            | "babel"
            | "composer"
            | "pom"
            | "build"
            | "phpunit"
            | "bunfig"
            | "binding"
            | "cypress"
    ) || name.starts_with("tsconfig.")
        || name.starts_with("jest.")
        || name.starts_with("vitest.")
        || name.starts_with("cmakepresets")
}

/// Folders of data and documents, in which files of any format are read by no tool on its own account.
fn is_data_folder(folder: &str) -> bool {
    matches!(
        folder,
        "docs"
            | "doc"
            | "data"
            | "testdata"
            | "test-data"
            | "test_data"
            | "fixtures"
            | "__fixtures__"
            | "examples"
            | "example"
            | "samples"
            | "locales"
            | "locale"
            | "i18n"
            | "translations"
            | "schemas"
            | "schema"
            | "assets"
            | "static"
            | "public"
            | "snapshots"
            | "__snapshots__"
    )
}

/// Returns whether an environment is made from a file: locks and lists of what is to be installed.
pub(crate) fn is_environment(path: &str) -> bool {
    let lower = path.to_lowercase();
    let name = lower.rsplit('/').next().unwrap_or_default();
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    matches!(
        name,
        "pyproject.toml"
            | "setup.py"
            | "setup.cfg"
            | "uv.lock"
            | "poetry.lock"
            | "pdm.lock"
            | "pipfile"
            | "pipfile.lock"
            | "pylock.toml"
            | "environment.yml"
            | "environment.yaml"
            | "conda-lock.yml"
            | "package.json"
            | "package-lock.json"
            | "npm-shrinkwrap.json"
            | "yarn.lock"
            | "pnpm-lock.yaml"
            | "bun.lockb"
            | "bun.lock"
            | "cargo.toml"
            | "cargo.lock"
            | "go.mod"
            | "go.sum"
            | "gemfile"
            | "gemfile.lock"
            | "composer.json"
            | "composer.lock"
            | "flake.nix"
            | "flake.lock"
            | "deno.lock"
            | ".python-version"
            | ".nvmrc"
            | ".node-version"
            | ".tool-versions"
            | "rust-toolchain"
            | "rust-toolchain.toml"
            | "vcpkg.json"
            | "conanfile.txt"
            | "conanfile.py"
            | "mix.lock"
            | "pubspec.lock"
            | "pubspec.yaml"
            | "package.resolved"
    ) || matches!(ending, "txt" | "in")
        && (stem.contains("requirements") || stem.contains("constraints"))
        || lower.contains("requirements/") && matches!(ending, "txt" | "in")
}

#[cfg(test)]
mod tests {
    use super::{TestFiles, is_environment, is_runner_configuration, is_startup, shadowed};

    #[test]
    fn tests_are_known_in_every_language() {
        let files = TestFiles::new(&[]).unwrap();
        let tests = [
            "test_a.py",
            "tests/test_a.py",
            "tests/data/a.json",
            "tests/conftest.py",
            "conftest.py",
            "src/pkg/tests/util.py",
            "a_test.py",
            "pkg/tests.py",
            "a_test.go",
            "pkg/testdata/in.txt",
            "tests/it.rs",
            "src/parse/tests.rs",
            "src/parse_tests.rs",
            "src/a.test.ts",
            "src/a.spec.jsx",
            "a.cy.js",
            "__tests__/a.js",
            "src/__snapshots__/a.js.snap",
            "test.js",
            "test/a.js",
            "test/fixtures/a.bin",
            "packages/x/test/a.js",
            "test-a.js",
            "a_test.ts",
            "test_a.c",
            "tests/a.c",
            "a_unittest.cc",
            "src/FooTest.java",
            "src/test/java/Foo.java",
            "src/test/resources/a.xml",
            "FooTests.cs",
            "FooTest.php",
            "spec/a_spec.rb",
            "a_test.exs",
            "a.bats",
            "test.sh",
            "tests/run.sh",
            "t/01.t",
            "t/lib.pl",
            "e2e/a.ts",
        ];
        for path in tests {
            assert!(files.has(path), "{path}");
        }
        let sources = [
            "cart.py",
            "src/cart.py",
            "contest.py",
            "latest.py",
            "attestation.py",
            "django/test/client.py",
            "numpy/testing/utils.py",
            "src/lib.rs",
            "protest.js",
            "src/spectrum.js",
            "testimony.md",
            "main.go",
            "greatest.c",
            "src/Contest.java",
            "latest.sh",
            "README.md",
            "package.json",
            "Makefile",
            "src/manifest.rs",
        ];
        for path in sources {
            assert!(!files.has(path), "{path}");
        }
        let own = TestFiles::new(&["checks/".to_owned(), "*.check.py".to_owned()]).unwrap();
        assert!(own.has("checks/a.py") && own.has("a/b.check.py") && !own.has("tests/test_a.py"));
        assert!(TestFiles::new(&["../x".to_owned()]).is_err());
    }

    /// What no runner reads before the first test.
    const NO_CONFIGURATION: &[&str] = &[
        "cart.py",
        "src/lib.rs",
        "README.md",
        "CHANGELOG.md",
        "docs/conf.md",
        "docs/data.json",
        "tests/data/a.json",
        "src/locales/en.json",
        ".gitignore",
        ".gitattributes",
        ".editorconfig",
        ".github/workflows/ci.yml",
        "src/config.py",
        "src/settings.js",
        "main.c",
        "a.h",
        "tests/test_a.py",
        "LICENSE",
        "src/profile.rs",
        "src/profile.ts",
        "src/config.js",
        "src/loader.ts",
        "lib/hooks.mjs",
        "src/setup.ts",
        "lib/readFile.js",
    ];

    #[test]
    fn what_a_runner_reads_is_known() {
        let configuration = [
            "conftest.py",
            "tests/conftest.py",
            "pytest.ini",
            "tox.ini",
            "setup.cfg",
            "pyproject.toml",
            "setup.py",
            "noxfile.py",
            ".coveragerc",
            "package.json",
            "sub/package.json",
            "jest.config.js",
            "vitest.config.mts",
            "vitest.workspace.ts",
            ".mocharc.yml",
            ".mocharc.cjs",
            "babel.config.js",
            ".babelrc",
            "tsconfig.json",
            "tsconfig.test.json",
            "setupTests.ts",
            "test/setup.js",
            "karma.conf.js",
            "Makefile",
            "sub/Makefile",
            "GNUmakefile",
            "rules.mk",
            "CMakeLists.txt",
            "cmake/x.cmake",
            "meson.build",
            "configure",
            "configure.ac",
            "Makefile.am",
            "Cargo.toml",
            "build.rs",
            ".cargo/config.toml",
            ".config/nextest.toml",
            "rust-toolchain",
            "rust-toolchain.toml",
            "go.mod",
            "go.work",
            "build.gradle",
            "build.gradle.kts",
            "pom.xml",
            "phpunit.xml.dist",
            "Rakefile",
            "Gemfile",
            "justfile",
            "Dockerfile",
            "tasks.py",
            "gulpfile.mjs",
            "deno.json",
            ".npmrc",
            ".env",
        ];
        for path in configuration {
            assert!(is_runner_configuration(path), "{path}");
        }
        for path in NO_CONFIGURATION {
            assert!(!is_runner_configuration(path), "{path}");
        }
        for path in [
            "requirements.txt",
            "requirements/dev.txt",
            "requirements-dev.in",
            "uv.lock",
            "package-lock.json",
            "go.sum",
            "Cargo.lock",
            "environment.yml",
            ".python-version",
            "sub/pyproject.toml",
        ] {
            assert!(is_environment(path), "{path}");
        }
        assert!(!is_environment("src/cart.py") && !is_environment("docs/requirements.md"));
    }

    #[test]
    fn what_starts_by_itself_is_known() {
        for path in [
            "sitecustomize.py",
            "src/usercustomize.py",
            "a.pth",
            "src/x-nspkg.pth",
            "pyvenv.cfg",
            "a/__pycache__/b.cpython-311.pyc",
            "b.pyc",
            ".pythonrc.py",
            ".npmrc",
            ".noderc",
            ".bashrc",
            ".profile",
            ".envrc",
            ".env",
            ".zshenv",
            ".gdbinit",
            "libx.so",
            "lib/libx.so.1",
            "x.dylib",
            "a.node",
            "ld.so.preload",
            ".pnp.cjs",
            "node_modules/jest/index.js",
            ".venv/bin/python",
            "x.egg-info/entry_points.txt",
            "x-1.dist-info/entry_points.txt",
        ] {
            assert!(is_startup(path), "{path}");
        }
        for path in [
            "cart.py",
            "src/cart/json.py",
            "flask/json/__init__.py",
            "src/flask/json/tag.py",
            "tests/test_json.py",
            "src/lib.rs",
            "src/main.c",
            "src/cart.h",
            "include/cart/assert.h",
            ".prettierrc",
            ".eslintrc.json",
            ".gitignore",
            "README",
            "LICENSE",
            "docs/python.md",
            "Makefile",
        ] {
            assert!(!is_startup(path) && shadowed(path).is_none(), "{path}");
        }
        for path in [
            "json.py",
            "pytest.py",
            "unittest/__init__.py",
            "src/random.py",
            "lib/re.py",
            "tests/subprocess.py",
            "tests/unittest/case.py",
            "_pytest/runner.py",
            "assert.h",
            "include/stdio.h",
            "python3",
            "bin/make",
            "scripts/pytest",
        ] {
            assert!(shadowed(path).is_some(), "{path}");
        }
        assert_eq!(shadowed("src/json.py").as_deref(), Some("json"));
        assert_eq!(
            shadowed("tests/unittest/case.py").as_deref(),
            Some("unittest")
        );
    }
}
