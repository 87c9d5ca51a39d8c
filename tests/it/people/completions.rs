//! Completions, in the real shells.

use std::{collections::BTreeSet, fs};

use legwork::registry::ALL;
use serde_json::Value;

use crate::support::{Call, Faults, World, assert_isolated, schemas};

/// Services and commands for people, which stand where a primitive's name does.
const OTHERS: &[&str] = &["serve-mcp", "batch", "help", "completions", "man"];

/// What is beside the fields of every primitive.
const FLAGS: &[&str] = &["--spec", "--json", "--pretty", "--help"];

/// A command line that ends where somebody presses the tab, and the words that must be offered there.
struct Tab {
    line: String,
    words: BTreeSet<String>,
}

/// Makes a world with the completions of a shell in it, and returns their file.
fn installed(world: &World, shell: &str, name: &str) -> String {
    let output = world
        .legwork_command(["completions", shell])
        .output()
        .expect("legwork starts");
    assert!(output.status.success() && output.stderr.is_empty());
    let file = world.path(name);
    fs::write(&file, output.stdout).expect("the completions");
    file.display().to_string()
}

/// Lists what must be offered where: each primitive, each of its flags, each value of its enumerations.
fn tabs() -> Vec<Tab> {
    let set = |words: Vec<String>| words.into_iter().collect::<BTreeSet<String>>();
    let names = ALL.iter().map(|entry| entry.about.name);
    let mut tabs = vec![
        Tab {
            line: "legwork ".to_owned(),
            words: set(names
                .clone()
                .chain(OTHERS.iter().copied())
                .map(String::from)
                .collect()),
        },
        Tab {
            line: "legwork help ".to_owned(),
            words: set(names
                .clone()
                .chain(["jobs", "batch"])
                .map(String::from)
                .collect()),
        },
        Tab {
            line: "legwork man ".to_owned(),
            words: set(names.map(String::from).collect()),
        },
        Tab {
            line: "legwork completions ".to_owned(),
            words: set(["bash", "zsh", "fish"].map(String::from).into()),
        },
        Tab {
            line: "legwork serve-mcp --mode ".to_owned(),
            words: set(["full", "compact"].map(String::from).into()),
        },
        Tab {
            line: "legwork batch --".to_owned(),
            words: set(vec!["--concurrency".to_owned()]),
        },
    ];
    let mut enumerations = 0;
    for entry in ALL {
        let name = entry.about.name;
        let schema = schemas::schema(&format!("{name}.input"));
        let mut flags: BTreeSet<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        for (field, place) in schema["properties"].as_object().into_iter().flatten() {
            let flag = format!("--{}", field.replace('_', "-"));
            let values = constants(place);
            if !values.is_empty() {
                enumerations += 1;
                tabs.push(Tab {
                    line: format!("legwork {name} {flag} "),
                    words: values,
                });
            }
            flags.insert(flag);
        }
        tabs.push(Tab {
            line: format!("legwork {name} --"),
            words: flags,
        });
    }
    assert!(
        enumerations > 5,
        "only {enumerations} enumerations were found"
    );
    tabs
}

/// Lists the constants that a schema names, wherever in it.
fn constants(place: &Value) -> BTreeSet<String> {
    match place {
        Value::Object(keywords) => keywords
            .iter()
            .flat_map(|(keyword, inner)| match (keyword.as_str(), inner) {
                ("const", Value::String(value)) => BTreeSet::from([value.clone()]),
                ("enum", Value::Array(values)) => values
                    .iter()
                    .filter_map(|value| value.as_str().map(str::to_owned))
                    .collect(),
                // Fields of an object stand within JSON, which no shell completes.
                ("properties", _) => BTreeSet::new(),
                (_, inner) => constants(inner),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(constants).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => BTreeSet::new(),
    }
}

/// Holds what a shell offered, a line of words apart by blanks for each tab, against what it must offer.
fn compare(shell: &str, tabs: &[Tab], offered: &str) {
    let faults = Faults::default();
    let lines: Vec<&str> = offered.lines().collect();
    assert_eq!(lines.len(), tabs.len(), "{shell}: {offered}");
    for (tab, line) in tabs.iter().zip(lines) {
        let words: BTreeSet<&str> = line.split(' ').collect();
        for word in &tab.words {
            faults.unless(words.contains(word.as_str()), || {
                format!("{shell}: {:?} does not offer {word}: {line}", tab.line)
            });
        }
    }
    faults.none();
}

/// Returns what a shell's script prints.
fn printed(world: &World, shell: &str, arguments: &[&str], script: &str) -> String {
    let output = world
        .command(shell)
        .args(arguments)
        .args(["-c", script])
        .output()
        .expect("the shell starts");
    assert!(
        output.status.success(),
        "{shell}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn bash_completes_every_primitive_flag_and_value() {
    assert_isolated();
    let world = World::new();
    let file = installed(&world, "bash", "legwork.bash");
    let tabs = tabs();
    // What bash does when somebody presses the tab: it sets these, calls the function, and reads COMPREPLY.
    let mut script = format!(
        ". '{file}'\ncomplete -p legwork >/dev/null || exit 1\ncompopt() {{ :; }}\n\
         offered() {{ COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1)) COMPREPLY=(); \
         _legwork legwork \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; echo \"${{COMPREPLY[*]}}\"; }}\n"
    );
    for tab in &tabs {
        let words: Vec<String> = tab
            .line
            .split(' ')
            .map(|word| format!("'{word}'"))
            .collect();
        script.extend([format!("offered {}\n", words.join(" "))]);
    }
    compare(
        "bash",
        &tabs,
        &printed(&world, "bash", &["--norc"], &script),
    );

    // A beginning is completed to what begins so, and --spec to files.
    let spec = world.path("an-input.json");
    fs::write(&spec, "{}").expect("a file");
    script = format!(
        "cd '{}'\n{}\noffered legwork prov\noffered legwork wait-job --spec an-in",
        world.path("").display(),
        script
            .split("offered legwork")
            .next()
            .unwrap_or_default()
            .split("offered '")
            .next()
            .unwrap_or_default()
    );
    assert_eq!(
        printed(&world, "bash", &["--norc"], &script),
        "provision-workspace\nan-input.json\n"
    );
}

#[test]
fn fish_completes_every_primitive_flag_and_value() {
    assert_isolated();
    let world = World::new();
    let file = installed(&world, "fish", "legwork.fish");
    fs::write(world.home().join("an-input.json"), "{}").expect("a file");
    let tabs = tabs();
    let mut script = format!("source '{file}'\n");
    for tab in &tabs {
        script.extend([format!(
            "echo (complete -C '{}' | string replace -r '\\t.*' '')\n",
            tab.line
        )]);
    }
    compare(
        "fish",
        &tabs,
        &printed(&world, "fish", &["--no-config"], &script),
    );
    script = format!(
        "source '{file}'\ncomplete -C 'legwork prov'\ncomplete -C 'legwork wait-job --spec an-in'"
    );
    assert_eq!(
        printed(&world, "fish", &["--no-config"], &script),
        "provision-workspace\tMake a repository ready for jobs on a host\nan-input.json\n"
    );
}

#[test]
fn zsh_completes_every_primitive_flag_and_value() {
    assert_isolated();
    let world = World::new();
    fs::create_dir(world.path("functions")).expect("a folder");
    let file = installed(&world, "zsh", "functions/_legwork");
    printed(&world, "zsh", &["-f", "-n"], &format!(". '{file}'"));
    let tabs = tabs();
    // A zsh on a terminal of its own completes as it does for somebody; compadd tells what is offered.
    let mut script = format!(
        "zmodload zsh/zpty\n\
         zpty z zsh -f -i\n\
         zpty -w z \"PS1= PS2= RPS1=; fpath=('{}' \\$fpath); autoload -U compinit; compinit -u -D; LISTMAX=10000\"\n\
         zpty -w z 'compadd() {{ local -a _o _p; builtin compadd -A _o \"$@\"; print -rn -- \"${{(F)_o}}\"$'\"'\\n'\"' >>$OFFERED; builtin compadd \"$@\" }}'\n\
         zpty -w z 'OFFERED=/dev/null; bindkey \"^I\" complete-word; bindkey \"^G\" send-break; echo RE\"\"ADY'\n\
         zpty -r z out '*READY*'\n",
        world.path("functions").display(),
    );
    for (number, tab) in tabs.iter().enumerate() {
        let offered = world.path(format!("tmp/offered.{number}"));
        script.extend([format!(
            "zpty -w z \"OFFERED='{0}'; echo SE\"\"T{number}.\"\nzpty -r z out '*SET{number}.*'\n\
             zpty -w -n z $'{1}\\t'\nfor i in {{1..500}}; do [[ -s '{0}' ]] && break; sleep 0.02; done\n\
             zpty -w -n z $'\\C-u'\nzpty -w z \"echo DO\"\"NE{number}.\"\nzpty -r z out '*DONE{number}.*'\n",
            offered.display(),
            tab.line,
        )]);
    }
    printed(&world, "zsh", &["-f"], &script);
    let offered: Vec<String> = (0..tabs.len())
        .map(|number| {
            let file = world.path(format!("tmp/offered.{number}"));
            let words = fs::read_to_string(file).unwrap_or_default();
            words.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect();
    compare("zsh", &tabs, &(offered.join("\n") + "\n"));
}

#[test]
fn another_shell_is_refused_with_those_there_are() {
    assert_isolated();
    let world = World::new();
    for arguments in [
        &["completions"][..],
        &["completions", "tcsh"],
        &["completions", "bsh"],
        &["completions", "bash", "zsh"],
        &["completions", "--shell"],
    ] {
        let output = world.legwork_command(arguments).output().expect("legwork");
        let (answer, broken) = schemas::judge(&output);
        assert_eq!(broken, Vec::<String>::new(), "{arguments:?}");
        assert_eq!(answer["error_code"], "spec_invalid");
        assert_eq!(answer["primitive"], "completions");
        assert_eq!(
            answer["details"]["violations"][0]["expected"],
            "bash, zsh, fish"
        );
    }
    let call: Call = world.legwork(["completion", "bash"]);
    assert_eq!(call.error_code(), "unknown_primitive");
    assert!(call.line().contains("Did you mean completions?"));
}
