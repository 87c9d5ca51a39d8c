//! Thousands of generated bad calls: each gets one line that keeps the contract, and changes nothing.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt as _,
    path::PathBuf,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use jsonschema::Validator;
use legwork::registry::{ALL, Entry};
use serde_json::{Value, json};

use crate::support::{Faults, World, assert_isolated, in_own_mounts, schemas, snapshot};

/// How many calls are made.
const CALLS: usize = 10_000;

/// How many are under way at once.
const THREADS: usize = 3;

/// Returns where the numbers start: the same start makes the same calls.
///
/// The calls vary by day; `LEGWORK_TEST_SEED` replays those of another.
#[expect(clippy::print_stderr, reason = "a test that fails shows it")]
pub(crate) fn seed() -> u64 {
    static SEED: LazyLock<u64> = LazyLock::new(|| {
        let given = std::env::var("LEGWORK_TEST_SEED").ok();
        let seed = given.map_or_else(
            || {
                let since = SystemTime::UNIX_EPOCH.elapsed().expect("a time after 1970");
                since.as_secs() / 86_400
            },
            |text| text.parse().expect("LEGWORK_TEST_SEED is a whole number"),
        );
        eprintln!("generated calls: LEGWORK_TEST_SEED={seed} makes these again");
        seed
    });
    // Seeds lie close together; the calls that they make do not.
    Numbers::new(*SEED).next()
}

/// Numbers that look random and are not (splitmix64).
pub(crate) struct Numbers(u64);

impl Numbers {
    /// Starts anew.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).expect("a small number");
        usize::try_from(self.next() % limit).expect("a small number")
    }

    pub(crate) fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    pub(crate) fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

/// Texts that break what does not expect them.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "'",
    "\"",
    "$(touch /tmp/owned)",
    "`id`",
    "; rm -rf /",
    "-rf",
    "--help",
    "--",
    "../../etc/passwd",
    "a\nb",
    "a\r\nb",
    "\u{1b}[2J\u{1b}]0;x\u{7}",
    "\u{202e}txt.exe",
    "💥",
    "%s%n%x",
    "{{7*7}}",
    "*",
    "~root",
    "a\tb",
    "\u{feff}x",
    "NaN",
    "1e999",
    "-1",
    "18446744073709551616",
    "null",
    "true",
    "[]",
    "{}",
];

/// One bad call, and the codes that are right for it.
struct Bad {
    arguments: Vec<OsString>,
    variables: BTreeMap<&'static str, OsString>,
    full_disk: bool,
    right: &'static [&'static str],
    what: &'static str,
}

impl Bad {
    fn new(what: &'static str, right: &'static [&'static str]) -> Self {
        Self {
            arguments: Vec::new(),
            variables: BTreeMap::new(),
            full_disk: false,
            right,
            what,
        }
    }

    fn arguments<T: Into<OsString>>(mut self, more: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(more.into_iter().map(Into::into));
        self
    }

    /// Puts its state folder on a disk that takes no more.
    fn on_a_full_disk(mut self) -> Self {
        self.full_disk = true;
        self
    }

    fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.insert(name, value.into());
        self
    }
}

/// A primitive and what is needed to make bad inputs for it.
struct Target {
    entry: &'static Entry,
    schema: Value,
    validator: Validator,
    examples: Vec<Value>,
}

/// What all makers of bad calls share.
struct Maker {
    targets: Vec<Target>,
    /// Files that are no good specification.
    specs: Vec<PathBuf>,
    /// Files that are no good configuration.
    configurations: Vec<PathBuf>,
    /// Places that are no good state folder.
    homes: Vec<PathBuf>,
}

const SPEC_INVALID: &[&str] = &["spec_invalid"];
const SPEC_UNREADABLE: &[&str] = &["spec_unreadable"];
const UNKNOWN: &[&str] = &["unknown_primitive"];
const CONFIG: &[&str] = &["config_invalid", "config_unreadable"];
const HOME: &[&str] = &["home_unwritable", "disk_full"];

impl Maker {
    fn new(world: &World) -> Self {
        let targets = ALL
            .iter()
            .map(|entry| {
                let schema = (entry.about.input_schema)().to_value();
                Target {
                    entry,
                    validator: jsonschema::draft202012::new(&schema).expect("a schema"),
                    schema,
                    examples: (entry.about.examples)(),
                }
            })
            .collect();
        let folder = world.path("bad");
        fs::create_dir(&folder).expect("a folder");
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.join(name);
            fs::write(&path, bytes).expect("a bad file");
            path
        };
        let link = folder.join("loop");
        std::os::unix::fs::symlink(&link, &link).expect("a link to itself");
        let deep = format!("{{\"x\":{}", "[".repeat(5000));
        let specs = vec![
            folder.join("missing"),
            folder.clone(),
            link.clone(),
            write("words", b"not JSON"),
            write("bytes", b"{\"a\": \"\xff\xfe\"}"),
            write("array", b"[1, 2]"),
            write("text", b"\"text\""),
            write("empty", b""),
            write("cut", b"{\"name\": \"box\""),
            write("two", b"{} {}"),
            write("deep", deep.as_bytes()),
            write("bom", b"\xef\xbb\xbf{}"),
            write("comma", b"{\"a\": 1,}"),
            write("single", b"{'a': 1}"),
            write("binary", &(0..=255).collect::<Vec<u8>>()),
            PathBuf::from("/dev/null"),
            PathBuf::from("/proc/self/mem"),
            PathBuf::from("/nothing/there"),
        ];
        let configurations = vec![
            folder.clone(),
            link.clone(),
            write("syntax.toml", b"[hosts"),
            write("bytes.toml", b"a = '\xff'"),
            write("key.toml", b"[hosts.box]\ndestinaton = 'x'\n"),
            write("table.toml", b"[host]\n"),
            write("type.toml", b"[ssh]\nmax_sessions = 'many'\n"),
            write("range.toml", b"[ssh]\nmax_sessions = 1000\n"),
            write("negative.toml", b"[defaults]\nmax_wall_s = -1\n"),
            write("name.toml", b"[hosts.'-rf']\n"),
            write("twice.toml", b"[hosts]\n[hosts]\n"),
            write("json.toml", b"{\"hosts\": {}}"),
            write("nul.toml", b"a = 'x\0y'"),
        ];
        let homes = vec![
            folder.join("words"),
            folder.join("words/below"),
            link,
            PathBuf::from("/dev/null"),
            PathBuf::from("/proc/nothing/below"),
            PathBuf::from(OsString::from_vec(b"/proc/\xff/x".to_vec())),
            PathBuf::from(format!("/{}", "x".repeat(300))),
        ];
        Self {
            targets,
            specs,
            configurations,
            homes,
        }
    }

    fn make(&self, numbers: &mut Numbers) -> Bad {
        let target = numbers.of(&self.targets);
        let name = target.entry.about.name;
        let made = match numbers.below(16) {
            0 => Self::no_such_primitive(numbers, name),
            1 => Bad::new("an unknown flag", SPEC_INVALID)
                .arguments([name])
                .arguments([format!("--zz{}", numbers.below(1000)), "x".to_owned()]),
            2 => Self::stray_field(numbers, target),
            3..=6 => Self::wrong_values(numbers, target),
            7 => Self::broken_json(numbers, target),
            8 => Bad::new("an unreadable file", SPEC_UNREADABLE)
                .arguments([name, "--spec"])
                .arguments([numbers.of(&self.specs)]),
            9 => Self::bytes(numbers, target),
            10 => Self::nul(numbers, target),
            11 => Self::bad_flags(numbers, target),
            12 => {
                let call = *numbers.of(&[
                    &["get-config"][..],
                    &["list-hosts"],
                    &["add-host", "--name", "never"],
                    &["remove-host", "--name", "kept"],
                ]);
                Bad::new("a broken configuration", CONFIG)
                    .arguments(call)
                    .variable("LEGWORK_CONFIG", numbers.of(&self.configurations))
            }
            13 | 14 => {
                let call = *numbers.of(&[
                    &["check-store"][..],
                    &["list-hosts"],
                    &["add-host", "--name", "never"],
                    &["remove-host", "--name", "kept"],
                ]);
                let bad = Bad::new("an unusable state folder", HOME).arguments(call);
                if numbers.chance(4) {
                    bad.on_a_full_disk()
                } else if numbers.chance(3) {
                    bad.variable("LEGWORK_HOME", "")
                        .variable("XDG_STATE_HOME", "")
                        .variable("HOME", numbers.of(&self.homes))
                } else {
                    bad.variable("LEGWORK_HOME", numbers.of(&self.homes))
                }
            }
            _ => Bad::new("a name that nothing has", UNKNOWN)
                .arguments(["describe".to_owned()])
                .arguments([format!("--primitive={}", numbers.of(HOSTILE))]),
        };
        // A bad input in a bad environment is still a bad input.
        if made.right == SPEC_INVALID && numbers.chance(4) {
            let variable = *numbers.of(&["LEGWORK_HOME", "HOME", "LEGWORK_CONFIG", "TMPDIR"]);
            let place = numbers.of(&self.homes).clone();
            return made.variable(variable, place);
        }
        made
    }

    fn no_such_primitive(numbers: &mut Numbers, name: &str) -> Bad {
        let mut letters: Vec<char> = name.chars().collect();
        let given = match numbers.below(4) {
            0 => {
                letters.remove(numbers.below(letters.len()));
                letters.iter().collect()
            }
            1 => name.to_uppercase(),
            2 => format!("{name}-{}", numbers.below(100)),
            _ => (*numbers.of(HOSTILE)).to_owned(),
        };
        // What people ask for is no bad call.
        let given = if given == "--help" {
            "--hlp".to_owned()
        } else {
            given
        };
        let bad = Bad::new("an unknown primitive", UNKNOWN).arguments([given]);
        if numbers.chance(2) {
            bad.arguments(["--json", "{\"x\": 1}"])
        } else {
            bad
        }
    }

    fn stray_field(numbers: &mut Numbers, target: &Target) -> Bad {
        let mut input = numbers.of(&target.examples).clone();
        let field = match numbers.of(HOSTILE) {
            &"" => "zz".to_owned(),
            text => format!("zz{text}"),
        };
        input[field] = json!(numbers.below(10));
        Self::input("a stray field", target, &input)
    }

    fn input(what: &'static str, target: &Target, input: &Value) -> Bad {
        Bad::new(what, SPEC_INVALID).arguments([
            target.entry.about.name.to_owned(),
            "--json".to_owned(),
            input.to_string(),
        ])
    }

    /// Puts wrong values into fields until the input as a whole is wrong.
    fn wrong_values(numbers: &mut Numbers, target: &Target) -> Bad {
        let fields: Vec<&String> = target.schema["properties"]
            .as_object()
            .map(|fields| fields.keys().collect())
            .unwrap_or_default();
        let wrong = [
            json!(null),
            json!(true),
            json!(-1),
            json!(1.5),
            json!(1e300),
            json!(u64::MAX),
            json!("text"),
            json!(""),
            json!("x".repeat(100_000)),
            json!([]),
            json!([1, [2]]),
            json!({"a": {"b": null}}),
        ];
        let mut input = numbers.of(&target.examples).clone();
        for _attempt in 0..20 {
            if fields.is_empty() {
                break;
            }
            let field = *numbers.of(&fields);
            if numbers.chance(5) {
                input
                    .as_object_mut()
                    .expect("an example is an object")
                    .remove(field);
            } else if numbers.chance(3) {
                input[field] = json!(numbers.of(HOSTILE));
            } else {
                input[field] = numbers.of(&wrong).clone();
            }
            if !target.validator.is_valid(&input) {
                return Self::input("wrong values", target, &input);
            }
        }
        input["zz"] = json!(1);
        Self::input(
            "a stray field where nothing else can be wrong",
            target,
            &input,
        )
    }

    fn broken_json(numbers: &mut Numbers, target: &Target) -> Bad {
        let text = numbers.of(&target.examples).to_string();
        let broken = match numbers.below(5) {
            0 => text
                .chars()
                .take(numbers.below(text.chars().count()))
                .collect(),
            1 => format!("{text}{}", numbers.of(&["}", "x", "{}", ","])),
            2 => (*numbers.of(&["[]", "1", "null", "\"x\"", "true", "[{}]"])).to_owned(),
            3 => "[".repeat(numbers.below(3000) + 1),
            _ => format!("{{\"a\": {}", numbers.of(HOSTILE)),
        };
        Bad::new("broken JSON", SPEC_INVALID).arguments([
            target.entry.about.name.to_owned(),
            "--json".to_owned(),
            broken,
        ])
    }

    fn bytes(numbers: &mut Numbers, target: &Target) -> Bad {
        let flags: Vec<String> = target.schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(field, _)| format!("--{}", field.replace('_', "-")))
            .chain(["--json".to_owned()])
            .collect();
        let noise: Vec<u8> = (0..=numbers.below(20))
            .map(|_| u8::try_from(numbers.below(127) + 128).expect("a byte"))
            .chain([0xff])
            .collect();
        let flag = numbers.of(&flags);
        let name = target.entry.about.name;
        let bad = Bad::new("bytes that are no text", SPEC_INVALID).arguments([name]);
        let mut argument = format!("{flag}=").into_bytes();
        argument.extend(noise);
        bad.arguments([OsString::from_vec(argument)])
    }

    fn nul(numbers: &mut Numbers, target: &Target) -> Bad {
        let mut input = numbers.of(&target.examples).clone();
        let fields: Vec<String> = input
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, value)| value.is_string())
            .map(|(field, _)| field.clone())
            .collect();
        if fields.is_empty() {
            input["z\0z"] = json!("x");
        } else {
            input[numbers.of(&fields)] = json!(format!("a\0{}", numbers.of(HOSTILE)));
        }
        Self::input("NUL in a text", target, &input)
    }

    fn bad_flags(numbers: &mut Numbers, target: &Target) -> Bad {
        let name = target.entry.about.name;
        let bad = Bad::new("flags that cannot be read", SPEC_INVALID).arguments([name]);
        match numbers.below(5) {
            0 => bad.arguments(["--json"]),
            1 => bad.arguments(["--spec"]),
            2 => bad.arguments(["stray"]),
            3 => bad.arguments(["--json", "{}", "--json", "{}"]),
            _ => bad.arguments(["--", *numbers.of(&["x", "-x", "--json"])]),
        }
    }
}

#[test]
fn ten_thousand_bad_calls_are_answered_and_change_nothing() {
    assert_isolated();
    let world = World::new();
    world.legwork(["add-host", "--name", "kept"]).ok();
    world.repository("sentinel", &[("a.txt", "a"), ("b/c.txt", "c")]);
    let maker = Maker::new(&world);
    fs::create_dir(world.path("mounted")).expect("a folder to mount on");
    // The first call opens the database's log.
    world.legwork(["list-hosts"]).ok();
    let before = snapshot::of(&world.path(""));
    let faults = Faults::default();
    let next = AtomicUsize::new(0);
    let start = seed();
    let counts: Vec<AtomicUsize> = ALL.iter().map(|_| AtomicUsize::new(0)).collect();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= CALLS {
                        break;
                    }
                    let seed = start ^ u64::try_from(number).expect("a small number");
                    let bad = maker.make(&mut Numbers(seed.wrapping_mul(0x2545_f491_4f6c_dd1d)));
                    if let Some(index) = ALL.iter().position(|entry| {
                        bad.arguments
                            .first()
                            .is_some_and(|name| *name == *entry.about.name)
                    }) {
                        counts[index].fetch_add(1, Ordering::Relaxed);
                    }
                    judge(&world, number, &bad, &faults);
                }
            });
        }
    });
    for (entry, count) in ALL.iter().zip(&counts) {
        let count = count.load(Ordering::Relaxed);
        faults.unless(count * ALL.len() * 3 >= CALLS, || {
            format!("{} was called only {count} times", entry.about.name)
        });
    }
    for change in snapshot::changes(&before, &snapshot::of(&world.path(""))) {
        faults.note(format!("something was changed: {change}"));
    }
    faults.unless(!PathBuf::from("/tmp/owned").exists(), || {
        "a shell ran what it was given".to_owned()
    });
    faults.none();
}

fn judge(world: &World, number: usize, bad: &Bad, faults: &Faults) {
    let mut command = if bad.full_disk {
        let script = "mount -t tmpfs -o size=16k tmpfs \"$2\" && export LEGWORK_HOME=\"$2/legwork\" && \
             program=$1 && shift 2 && exec \"$program\" \"$@\"";
        in_own_mounts(world, script, &bad.arguments)
    } else {
        world.legwork_command(&bad.arguments)
    };
    command.envs(&bad.variables);
    let output = command.output().expect("legwork starts");
    let (answer, broken) = schemas::judge(&output);
    let shown = || {
        let arguments: Vec<String> = bad
            .arguments
            .iter()
            .map(|argument| argument.to_string_lossy().chars().take(120).collect())
            .collect();
        format!(
            "call {number}, {}: {arguments:?} {:?}",
            bad.what, bad.variables
        )
    };
    for fault in broken {
        faults.note(format!("{}: {fault}", shown()));
    }
    let code = answer["error_code"].as_str().unwrap_or_default();
    faults.unless(bad.right.contains(&code), || {
        let line: String = answer.to_string().chars().take(400).collect();
        format!("{}: {line}", shown())
    });
    faults.unless(answer["effect"] == "none", || {
        format!("{}: effect {}", shown(), answer["effect"])
    });
}
