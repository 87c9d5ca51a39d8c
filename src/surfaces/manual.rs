//! The manual, as pages for `man`: one for the whole, one for each primitive.

use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};

use super::{
    command_line::{pasteable, without_defaults},
    commands::COMMANDS,
    services::SERVICES,
    tree,
};
use crate::{
    contract::Code,
    registry::{ALL, Entry, chapters, primitives_of},
};

/// What stands at the foot and at the head of each page.
const SOURCE: &str = concat!("legwork ", env!("CARGO_PKG_VERSION"));
const MANUAL: &str = "legwork";
/// A page that the program makes of itself has no date: an empty argument, which must be quoted to be one.
const DATE: &str = "\"\"";

/// Lines of which only the left ends stand in line: one that is a single pattern cannot be made as long as the others.
const LEFT: &str = "l";

/// What each exit status means.
const STATUSES: &[(&str, &str)] = &[
    ("0", "The call did what was asked."),
    (
        "1",
        "The caller must change something: the request, or the state of the world that it names.",
    ),
    (
        "2",
        "The world must: a host, a network, a forge, a login, a disk, a rate limit.",
    ),
    (
        "3",
        "A bug in legwork, a damaged store, or an answer that could not be written.",
    ),
    (
        "128 + n",
        "Signal n ended the call: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP.",
    ),
];

/// What is read from the environment.
const VARIABLES: &[(&str, &str)] = &[
    (
        "LEGWORK_HOME",
        "The folder of the store and of fetched artifacts, in place of legwork below $XDG_STATE_HOME.",
    ),
    (
        "LEGWORK_CONFIG",
        "The configuration file, in place of legwork/config.toml below $XDG_CONFIG_HOME.",
    ),
    (
        "LEGWORK_STORE",
        "The database, in place of store in the configuration: a URL of PostgreSQL, or env: and the name of a variable that holds one.",
    ),
    (
        "LEGWORK_LOG",
        "How much is logged on standard error: error, warn, info, debug, trace or off; warn where it is not set.",
    ),
    (
        "NO_COLOR",
        "Where it is set and not empty, --pretty uses no colours. It uses none either where TERM is dumb.",
    ),
    (
        "XDG_STATE_HOME, XDG_CONFIG_HOME",
        "The base folders; ~/.local/state and ~/.config where they are not set.",
    ),
];

/// Where things lie.
const FILES: &[(&str, &str)] = &[
    (
        "~/.config/legwork/config.toml",
        "The configuration. There need not be one; legwork check-config checks it.",
    ),
    (
        "~/.local/state/legwork/legwork.db",
        "The store: jobs, events, workspaces, unless it is kept in PostgreSQL. legwork check-store checks it.",
    ),
    (
        "~/.local/state/legwork/results/",
        "What fetch-artifacts brought here, in a folder for each job.",
    ),
    (
        "~/.ssh/config",
        "Every alias in it is a host; the ssh client reads it as always.",
    ),
    (
        "~/legwork/",
        "On a host: clones, environments, and a folder for each job.",
    ),
];

/// Writes the page of the whole.
pub(super) fn page() -> String {
    let mut roff = begin(
        "legwork",
        "send coding agents to work on machines you can reach, and bring back evidence",
    );
    roff.control("SH", ["SYNOPSIS"]);
    roff.text([
        bold("legwork"),
        roman(" primitive [--field value ...] [--spec FILE|-] [--json JSON] [--pretty]"),
    ]);
    roff.control("SH", ["DESCRIPTION"]);
    paragraphs(
        &mut roff,
        "legwork puts an agent on an issue, on a machine you can reach, in a workspace of its own, and brings back a report, \
         a diff, and what checks in clean trees say of the diff. Everything it does is a primitive: JSON in, one line of \
         JSON out, safe to call again.\n\nThe input is one JSON object. --spec reads it from a file, or from standard input for \
         -; --json takes it as an argument; every field is a flag too. Flags win over --json, which wins over --spec. Standard \
         output carries exactly one line of JSON, the envelope, whatever happens. With --pretty the answer is shown readably on \
         standard error too.",
    );
    for chapter in chapters() {
        roff.control("SH", [chapter.name.to_uppercase().as_str()]);
        paragraphs(&mut roff, &format!("{}.", chapter.about));
        for entry in primitives_of(chapter.name) {
            item(
                &mut roff,
                entry.about.name,
                &format!("{}.", entry.about.summary),
            );
        }
    }
    roff.control("SH", ["MANY CALLS IN ONE PROCESS"]);
    for service in SERVICES {
        item(&mut roff, service.name, &format!("{}.", service.summary));
    }
    roff.control("SH", ["FOR PEOPLE"]);
    for command in COMMANDS {
        item(&mut roff, command.name, &format!("{}.", command.summary));
    }
    roff.control("SH", ["FAILURES OF EVERY CALL"]);
    let every: Vec<&str> = Code::universal().map(Code::name).collect();
    paragraphs(&mut roff, &format!("{}.", every.join(", ")));
    for (heading, items) in [
        ("EXIT STATUS", STATUSES),
        ("ENVIRONMENT", VARIABLES),
        ("FILES", FILES),
    ] {
        roff.control("SH", [heading]);
        for (name, text) in items {
            item(&mut roff, name, text);
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    let first = ALL.first().map_or("", |entry| entry.about.name);
    paragraphs(
        &mut roff,
        &format!(
            "legwork man {first}, and so for each primitive, writes its page; legwork help lists them all; legwork describe says \
             everything about one, for programs."
        ),
    );
    roff.render()
}

/// Writes the page of one primitive.
pub(super) fn page_of(entry: &Entry) -> String {
    let about = &entry.about;
    let name = format!("legwork-{}", about.name);
    let mut page = Vec::new();
    let command = tree::of_primitive(entry)
        .display_name(&name)
        .bin_name(format!("legwork {}", about.name));
    let man = Man::new(command)
        .title(name.to_uppercase())
        .date(DATE)
        .source(SOURCE)
        .manual(MANUAL);
    let mut start = Roff::new();
    start.control("ad", [LEFT]);
    // Writing to memory cannot fail, here and below.
    let _infallible = man
        .render_title(&mut page)
        .and_then(|()| start.to_writer(&mut page))
        .and_then(|()| man.render_name_section(&mut page))
        .and_then(|()| man.render_synopsis_section(&mut page))
        .and_then(|()| man.render_description_section(&mut page))
        .and_then(|()| man.render_options_section(&mut page));
    let mut roff = Roff::new();
    roff.control("SH", ["FAILURES"]);
    for code in (about.codes)() {
        let kind = code.kind().name().replace('_', " ");
        let status = code.kind().exit_code(None);
        item(
            &mut roff,
            code.name(),
            &format!("Exit status {status}: {kind}."),
        );
    }
    roff.control("PP", []);
    roff.text([
        roman("What any call may fail with stands in "),
        bold("legwork"),
        roman("(1)."),
    ]);
    roff.control("SH", ["EXAMPLES"]);
    for (index, example) in (about.examples)().iter().enumerate() {
        if index > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(pasteable(
            about.name,
            &without_defaults(entry, example),
        ))]);
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.control("BR", ["legwork", "(1)"]);
    let _infallible = roff.to_writer(&mut page);
    breakable(&String::from_utf8_lossy(&page))
}

/// Lets a line end within a word that is longer than half a line, such as a pattern of alternatives.
fn breakable(page: &str) -> String {
    let words = page.split_inclusive([' ', '\n']).map(|word| {
        if word.len() > 40 {
            word.replace('|', "|\\:")
        } else {
            word.to_owned()
        }
    });
    words.collect()
}

/// Begins a page: its title and its name section.
fn begin(title: &str, about: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control(
        "TH",
        [title.to_uppercase().as_str(), "1", DATE, SOURCE, MANUAL],
    );
    roff.control("ad", [LEFT]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{title} - {about}"))]);
    roff
}

/// Writes a name, and the text on it below.
fn item(roff: &mut Roff, name: &str, text: &str) {
    roff.control("TP", []);
    roff.text([bold(name)]);
    let mut lines = text.lines().filter(|line| !line.is_empty());
    roff.text([roman(lines.next().unwrap_or_default())]);
    for line in lines {
        roff.control("IP", []);
        roff.text([roman(line)]);
    }
}

fn paragraphs(roff: &mut Roff, text: &str) {
    for (index, line) in text.lines().filter(|line| !line.is_empty()).enumerate() {
        if index > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(line)]);
    }
}
