//! Environments: each tree has its own, made from a store that is checked, with that tree itself installed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::support::{Call, Workplace, World};

/// A project without a pyproject.toml, whose code lies in `lib/` and whose egg-info is part of the repository.
const LIB: &[(&str, &str)] = &[
    (
        "setup.py",
        "from setuptools import setup\nsetup(name='shelf', version='1.0', package_dir={'': 'lib'}, packages=['shelf'],\n\
         \x20   entry_points={'console_scripts': ['shelf-total=shelf:main']})\n",
    ),
    (
        "lib/shelf/__init__.py",
        "def total():\n    return None\n\n\ndef main():\n    print(total())\n",
    ),
    ("lib/shelf.egg-info/SOURCES.txt", "setup.py\n"),
];

/// A project whose package lies at the top, with what it needs by an extra, a group and a file.
const FLAT: &[(&str, &str)] = &[
    (
        "pyproject.toml",
        "[build-system]\nrequires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n\
         [project]\nname = 'cart-lib'\nversion = '1.0'\n[project.optional-dependencies]\nfast = ['pluggy']\n\
         [dependency-groups]\ndev = ['packaging']\n[tool.setuptools]\npackages = ['cart']\n",
    ),
    ("cart/__init__.py", "def total():\n    return None\n"),
    ("requirements/test.txt", "-e .\niniconfig\n"),
];

/// A place with uv, and with a profile `offline` that installs from the wheels of the test bed.
fn place() -> Workplace {
    let world = World::with_testbed();
    let wheels = world.testbed().path("wheels");
    world.configure(&format!(
        "[profiles.offline]\nextends = 'python-uv'\ninstall_arguments = ['--no-index', '--find-links', '{}']\n",
        wheels.display()
    ));
    let place = Workplace::empty_in(world);
    place.watch(&place.world().home());
    place
}

/// Adds a repository to the configuration.
fn repository(place: &Workplace, name: &str, profile: &str, files: &[(&str, &str)]) -> PathBuf {
    let source = place.world().repository(name, files);
    place.world().configure(&format!(
        "[repositories.{name}]\nurl = '{}'\nprofile = '{profile}'\n",
        source.display()
    ));
    source
}

fn provision(place: &Workplace, name: &str) -> Call {
    place.call("provision-workspace", &json!({"repository": name}))
}

fn launch(place: &Workplace, name: &str, script: &str) -> Call {
    let agent = format!("agent-{}", place.tally());
    place.agent(&agent, script);
    let input = json!({"repository": name, "agent": agent, "message": agent, "max_wall_s": 60});
    place.call("launch-investigation", &input)
}

/// Has an agent do what a script says, and returns its job.
#[track_caller]
fn job(place: &Workplace, name: &str, script: &str) -> String {
    let job_id = launch(place, name, script).ok().text("/job/job_id");
    place.ended(&job_id);
    job_id
}

/// Returns a file that the agent left in the folder of its job.
fn left(place: &Workplace, job_id: &str, file: &str) -> String {
    let path = place.job(job_id).join(file);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| format!("{}: {error}", path.display()))
        .trim()
        .to_owned()
}

/// Returns the paths that the diff of a job changes.
fn changed(place: &Workplace, job_id: &str) -> Vec<String> {
    let fetched = place
        .call("fetch-artifacts", &json!({"job_id": job_id}))
        .ok();
    let diff = Path::new(&fetched.text("/folder")).join("changes.diff");
    let text = fs::read_to_string(&diff).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.strip_prefix("diff --git a/"))
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

fn verdict(place: &Workplace, job_id: &str, check: &str) -> String {
    place
        .call(
            "check-diff",
            &json!({"job_id": job_id, "check": check, "limit_s": 60}),
        )
        .ok()
        .text("/verdict")
}

fn check(place: &Workplace, name: &str) -> Call {
    place
        .call("check-workspace", &json!({"repository": name}))
        .ok()
}

/// Returns status and evidence of a fact.
fn fact(call: &Call, name: &str) -> (String, String) {
    let facts = call.at("/checks");
    let facts = facts.as_array().expect("facts");
    let fact = facts.iter().find(|fact| fact["name"] == name);
    let text = |key: &str| {
        fact.and_then(|fact| fact[key].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    (text("status"), text("evidence"))
}

/// Finds a file below a folder.
#[track_caller]
fn find(folder: &Path, ends_with: &str) -> PathBuf {
    find_below(folder, ends_with).expect(ends_with)
}

fn find_below(folder: &Path, ends_with: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries.map(|entry| entry.path()).find_map(|path| {
        if path.ends_with(ends_with) {
            Some(path)
        } else if path.is_dir() && !path.is_symlink() {
            find_below(&path, ends_with)
        } else {
            None
        }
    })
}

#[test]
fn every_layout_is_imported_from_its_own_tree() {
    let place = place();
    place.world().configure(
        "[profiles.full]\nextends = 'offline'\nextras = ['fast']\ngroups = ['dev']\nrequirements = ['requirements/test.txt']\n",
    );
    repository(&place, "shelf", "offline", LIB);
    repository(&place, "cart", "full", FLAT);
    provision(&place, "shelf").ok();
    provision(&place, "cart").ok();

    // What the agent runs is what it changes, by import and by console script; the egg-info in the repository stays as it is.
    let script = "sed -i 's/return None/return 0/' lib/shelf/__init__.py\n\
         cd /; shelf-total >\"$LEGWORK_JOB/said\"\n\
         python -I -c 'import shelf; print(shelf.__file__)' >\"$LEGWORK_JOB/from\"";
    let shelf = job(&place, "shelf", script);
    assert_eq!(left(&place, &shelf, "said"), "0");
    assert!(
        left(&place, &shelf, "from").starts_with(&place.job(&shelf).display().to_string()),
        "{}",
        left(&place, &shelf, "from")
    );
    assert_eq!(changed(&place, &shelf), ["lib/shelf/__init__.py"]);
    let assertion = "cd / && python -I -c 'import shelf; assert shelf.total() == 0'";
    assert_eq!(verdict(&place, &shelf, assertion), "fixed");

    let script = "sed -i 's/return None/return 0/' cart/__init__.py\n\
         python -I -c 'import pluggy, packaging, iniconfig; print(\"all\")' >\"$LEGWORK_JOB/said\" 2>&1\n\
         uv run python -I -c 'import cart; print(cart.__file__)' >\"$LEGWORK_JOB/from\" 2>&1\n\
         cat \"$LEGWORK_PROMPT\" >\"$LEGWORK_JOB/told\"";
    let cart = job(&place, "cart", script);
    assert_eq!(left(&place, &cart, "said"), "all");
    // `uv run` uses the environment as it is, and leaves neither a lock nor another environment behind.
    assert!(
        left(&place, &cart, "from").starts_with(&place.job(&cart).display().to_string()),
        "{}",
        left(&place, &cart, "from")
    );
    assert_eq!(changed(&place, &cart), ["cart/__init__.py"]);
    let told = left(&place, &cart, "told");
    assert!(told.contains("What the workspace offers"), "{told}");
    let assertion = "cd / && python -I -c 'import cart; assert cart.total() == 0'";
    assert_eq!(verdict(&place, &cart, assertion), "fixed");
}

#[test]
fn what_is_done_to_an_environment_stays_in_it_and_a_changed_store_is_made_again() {
    let place = place();
    let wheels = place.world().testbed().path("wheels");
    repository(&place, "cart", "offline", FLAT);
    let store = provision(&place, "cart").ok().text("/environment");

    // The first agent installs, removes, and plants a start-up file where modules are found.
    let script = format!(
        "uv pip install -q --no-index --find-links '{}' iniconfig 2>\"$LEGWORK_JOB/said\"\n\
         echo 'import os; os._exit(0)' >\"$(python -c 'import sysconfig; print(sysconfig.get_path(\"purelib\"))')/sitecustomize.py\"\n\
         printf 'import iniconfig\\n\\n\\ndef total():\\n    return 0\\n' >cart/__init__.py",
        wheels.display()
    );
    let first = job(&place, "cart", &script);
    assert_eq!(left(&place, &first, "said"), "");
    let assertion = "cd / && python -I -c 'import cart; assert cart.total() == 0'";
    assert_eq!(
        verdict(&place, &first, assertion),
        "inconclusive",
        "what the diff needs was installed by hand only"
    );
    let script = "python -I -c 'import cart; print(cart.total())' >\"$LEGWORK_JOB/said\" 2>&1\n\
         python -I -c 'import iniconfig' 2>/dev/null && echo there >>\"$LEGWORK_JOB/said\"\n:";
    let second = job(&place, "cart", script);
    assert_eq!(left(&place, &second, "said"), "None");
    let checked = check(&place, "cart");
    assert_eq!(checked.at("/ready"), true, "{}", checked.line());

    // Whatever is altered in what environments are made from is found, by name, and nothing is made from it.
    let outer = Path::new(&store).parent().expect("a folder").to_owned();
    let site = find(&outer.join("template"), "site-packages");
    let altered = find(&site, "setuptools/__init__.py");
    let before = fs::read(&altered).expect("a module");
    fs::write(&altered, [&before[..], b"\n# altered\n"].concat()).expect("altered");
    fs::write(site.join("sitecustomize.py"), "import os\n").expect("planted");
    let checked = check(&place, "cart");
    assert_eq!(checked.at("/ready"), false);
    let (status, evidence) = fact(&checked, "environment");
    assert_eq!(status, "fail");
    for part in [
        "changed: ",
        "setuptools/__init__.py",
        "not listed: ",
        "sitecustomize.py",
    ] {
        assert!(evidence.contains(part), "{evidence}");
    }
    let refused = launch(&place, "cart", "true");
    assert_eq!(
        (refused.error_code(), refused.kind()),
        ("workspace_not_ready", "failed_precondition"),
        "{}",
        refused.line()
    );
    let next = &refused.next()[0];
    assert_eq!(next.primitive, "provision-workspace");
    let mended = place.call(&next.primitive, &next.input).ok();
    assert_eq!(mended.effect(), "applied");
    // The same lock makes the same store, so that earlier jobs can still be judged.
    assert_eq!(mended.text("/environment"), store);
    assert_eq!(fs::read(&altered).expect("a module"), before);
    assert!(!site.join("sitecustomize.py").exists());
    assert_eq!(check(&place, "cart").at("/ready"), true);

    // A manifest that was made to fit is no longer the one that the folder is named after.
    let manifest = Path::new(&store).join("manifest");
    let text = fs::read(&manifest).expect("a manifest");
    fs::write(&manifest, [&text[..], b"\n"].concat()).expect("a manifest");
    assert_eq!(fact(&check(&place, "cart"), "environment").0, "fail");
    assert_eq!(
        launch(&place, "cart", "true").error_code(),
        "workspace_not_ready"
    );
    fs::write(&manifest, text).expect("a manifest");

    // The seed's own environment is looked at too.
    let seeds = place.root().join("repos/cart/env");
    fs::remove_dir_all(find(&seeds, "setuptools-84.2.1.dist-info")).expect("a package goes");
    let checked = check(&place, "cart");
    let (status, evidence) = fact(&checked, "packages");
    assert_eq!(
        (checked.at("/ready"), status.as_str()),
        (json!(false), "fail")
    );
    assert!(evidence.contains("setuptools"), "{evidence}");
    assert_eq!(provision(&place, "cart").ok().effect(), "applied");
    assert_eq!(check(&place, "cart").at("/ready"), true);
}

#[test]
fn what_would_be_left_out_of_an_environment_is_refused_by_name() {
    let place = place();
    place.world().configure(
        "[profiles.bare]\nextends = 'python-uv'\ninstall = 'none'\ninstall_arguments = ['-r', 'requirements.txt']\n\
         [profiles.listed]\nextends = 'offline'\ninstall = 'none'\nrequirements = ['requirements.txt']\n",
    );
    let files = [
        ("requirements.txt", "iniconfig\n"),
        ("README", "no project\n"),
    ];
    repository(&place, "bare", "bare", &files);
    let refused = provision(&place, "bare");
    assert_eq!(
        (refused.error_code(), refused.effect()),
        ("config_invalid", "none"),
        "{}",
        refused.line()
    );
    assert_eq!(
        refused.details()["violations"][0]["pointer"],
        "/profiles/bare/install_arguments"
    );
    let input = json!({"repository": "bare", "profile": "generic", "packages": ["iniconfig"]});
    let refused = place.call("provision-workspace", &input);
    assert_eq!(refused.error_code(), "spec_invalid", "{}", refused.line());

    // Without a project there is nothing to install, and that is said, not passed over.
    let input = json!({"repository": "bare", "profile": "offline"});
    let refused = place.call("provision-workspace", &input);
    assert_eq!(refused.error_code(), "provision_step_failed");
    assert_eq!(refused.details()["step"], "install");

    // A profile that installs nothing of the repository is exempt, and its lists are heeded.
    let input = json!({"repository": "bare", "profile": "listed"});
    place.call("provision-workspace", &input).ok();
    let script = "python -I -c 'import iniconfig; print(\"there\")' >\"$LEGWORK_JOB/said\" 2>&1";
    let job_id = job(&place, "bare", script);
    assert_eq!(left(&place, &job_id, "said"), "there");
}

#[test]
fn the_smoke_test_fails_where_the_module_does_not_come_from_the_tree() {
    let place = place();
    // The package of the repository is shadowed by a module of the same name among those that come first.
    let files = [
        (
            "setup.py",
            "from setuptools import setup\nsetup(name='colorsys', version='1.0', packages=['colorsys'])\n",
        ),
        ("colorsys/__init__.py", "X = 1\n"),
    ];
    repository(&place, "shadowed", "offline", &files);
    let refused = provision(&place, "shadowed");
    assert_eq!(refused.error_code(), "provision_step_failed");
    assert_eq!(refused.details()["step"], "smoke", "{}", refused.line());
}

/// Makes a package of npm, as a file that a lock file can name.
fn npm_package(world: &World, folder: &Path) {
    let script = "import io, sys, tarfile\n\
         with tarfile.open(sys.argv[1], 'w:gz') as archive:\n\
         \x20   for name, text in [('package/package.json', '{\"name\": \"adder\", \"version\": \"1.0.0\", \"main\": \"index.js\"}'),\n\
         \x20                      ('package/index.js', 'module.exports = (a, b) => a + b')]:\n\
         \x20       entry = tarfile.TarInfo(name)\n\
         \x20       entry.size, entry.mode = len(text), 0o644\n\
         \x20       archive.addfile(entry, io.BytesIO(text.encode()))\n";
    let status = world
        .command("python3")
        .args(["-c", script])
        .arg(folder.join("adder-1.0.0.tgz"))
        .status()
        .expect("python starts");
    assert!(status.success());
}

#[test]
fn each_tree_is_prepared_and_a_preparation_that_fails_is_said() {
    let place = place();
    let source = repository(
        &place,
        "sums",
        "node",
        &[
            (
                "package.json",
                "{\"name\": \"sums\", \"version\": \"1.0.0\", \"dependencies\": {\"adder\": \"file:vendor/adder-1.0.0.tgz\"}}\n",
            ),
            (
                "package-lock.json",
                "{\"name\": \"sums\", \"version\": \"1.0.0\", \"lockfileVersion\": 3, \"packages\": {\n\
                 \"\": {\"name\": \"sums\", \"version\": \"1.0.0\", \"dependencies\": {\"adder\": \"file:vendor/adder-1.0.0.tgz\"}},\n\
                 \"node_modules/adder\": {\"version\": \"1.0.0\", \"resolved\": \"file:vendor/adder-1.0.0.tgz\"}}}\n",
            ),
            ("vendor/README", "Packages.\n"),
            (
                "sum.js",
                "module.exports = (list) => list.reduce(require('adder'))\n",
            ),
        ],
    );
    npm_package(place.world(), &source.join("vendor"));
    place.world().git(&source, &["add", "--all"]);
    place
        .world()
        .git(&source, &["commit", "--quiet", "--message", "Vendor"]);
    provision(&place, "sums").ok();
    let script = "ls node_modules >\"$LEGWORK_JOB/said\" 2>&1\n\
         sed -i 's/reduce(require(.adder.))/reduce(require(\"adder\"), 0)/' sum.js\n\
         cat \"$LEGWORK_PROMPT\" >\"$LEGWORK_JOB/told\"";
    let job_id = job(&place, "sums", script);
    assert_eq!(left(&place, &job_id, "said"), "adder");
    let told = left(&place, &job_id, "told");
    assert!(told.contains("prepared"), "{told}");
    assert_eq!(changed(&place, &job_id), ["sum.js"]);
    let assertion = "node -e 'if (require(\"./sum.js\")([]) !== 0) process.exit(1)'";
    assert_eq!(verdict(&place, &job_id, assertion), "fixed");

    // A command of the repository's own, that makes untracked files and changes a tracked one: neither is the agent's work.
    let gate = place.world().path("gate");
    repository(
        &place,
        "built",
        "generic",
        &[("main.c", "int x;\n"), ("config.h", "0\n")],
    );
    place.world().configure(&format!(
        "[repositories.built]\nprepare = 'test ! -e {} || {{ echo the gate is shut; exit 3; }}; mkdir -p out; echo 1 >out/main.o; echo 1 >config.h'\n",
        gate.display()
    ));
    let provisioned = provision(&place, "built").ok();
    let steps = provisioned.at("/steps");
    let prepared = steps
        .as_array()
        .and_then(|steps| steps.iter().find(|step| step["name"] == "prepare"))
        .map(|step| step["state"].clone());
    assert_eq!(prepared, Some(Value::from("ran")));
    let script = "cat out/main.o >\"$LEGWORK_JOB/said\"; echo 'int y;' >>main.c";
    let built = job(&place, "built", script);
    assert_eq!(left(&place, &built, "said"), "1");
    assert_eq!(changed(&place, &built), ["main.c"]);

    fs::write(&gate, "").expect("the gate is shut");
    let refused = launch(&place, "built", "true");
    assert_eq!(refused.error_code(), "prepare_failed", "{}", refused.line());
    let envelope: Value = serde_json::from_str(refused.line()).expect("JSON");
    assert_eq!(envelope["retry"]["mode"], "after_fix");
    assert_eq!(refused.details()["exit_code"], 3);
    assert!(
        refused.details()["stderr"]
            .as_str()
            .is_some_and(|text| text.contains("the gate is shut")),
        "{}",
        refused.line()
    );
    let call = place.call(
        "check-diff",
        &json!({"job_id": built, "check": "grep -q y main.c"}),
    );
    let call = call.ok();
    assert_eq!(
        (
            call.text("/verdict").as_str(),
            call.text("/verification/reason").as_str()
        ),
        ("inconclusive", "prepare_failed")
    );
    fs::remove_file(&gate).expect("the gate opens");
    launch(&place, "built", "echo 'int z;' >>main.c").ok();
}

#[test]
fn a_compiled_module_is_built_for_each_tree() {
    let place = place();
    let gate = place.world().path("gate");
    let program = format!(
        "import os\nassert not os.path.exists('{}'), 'the gate is shut'\n",
        gate.display()
    ) + "from setuptools import Extension, setup\nsetup(name='fast', version='1.0', package_dir={'': 'src'}, packages=['fast'],\n\
         \x20   ext_modules=[Extension('fast._c', ['src/fast/_c.c'])])\n";
    let files = [
        ("setup.py", program.as_str()),
        ("src/fast/__init__.py", "from fast._c import total\n"),
        (
            "src/fast/_c.c",
            "#include <Python.h>\nstatic PyObject *total(PyObject *self, PyObject *none) { return PyLong_FromLong(1); }\n\
             static PyMethodDef methods[] = {{\"total\", total, METH_NOARGS, \"\"}, {0}};\n\
             static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, \"_c\", 0, -1, methods};\n\
             PyMODINIT_FUNC PyInit__c(void) { return PyModule_Create(&module); }\n",
        ),
    ];
    repository(&place, "fast", "offline", &files);
    provision(&place, "fast").ok();
    let job_id = job(
        &place,
        "fast",
        "sed -i 's/FromLong(1)/FromLong(0)/' src/fast/_c.c",
    );
    assert_eq!(changed(&place, &job_id), ["src/fast/_c.c"]);
    let assertion = "cd / && python -I -c 'import fast; assert fast.total() == 0'";
    assert_eq!(verdict(&place, &job_id, assertion), "fixed");
    fs::write(&gate, "").expect("the gate is shut");
    let refused = launch(&place, "fast", "true");
    assert_eq!(
        refused.error_code(),
        "environment_failed",
        "{}",
        refused.line()
    );
    assert!(
        refused.details()["stderr"]
            .as_str()
            .is_some_and(|text| text.contains("the gate is shut")),
        "{}",
        refused.line()
    );
}
