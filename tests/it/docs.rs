//! What the documentation says is so: its commands run, its links lead somewhere, the tests it names exist.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;

use crate::support::{Faults, World, assert_isolated, files_with, schemas};

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the pages of the top folder and all below `docs`, by their paths.
fn pages() -> Vec<(String, String)> {
    let mut files = vec![top().join("CONTRIBUTING.md"), top().join("README.md")];
    files.extend(files_with("md", &top().join("docs")));
    files.sort();
    let pages: Vec<(String, String)> = files
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(top()).expect("below the top");
            let text = fs::read_to_string(&path).expect("a page");
            (name.display().to_string(), text)
        })
        .collect();
    assert!(pages.len() > 10, "the pages were not found");
    pages
}

/// Returns the fenced blocks of a language.
#[expect(clippy::wildcard_enum_match_arm, reason = "all else is no matter here")]
pub(crate) fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(kind))) => {
                inside = kind.as_ref() == language;
                if inside {
                    found.push(String::new());
                }
            }
            Event::End(TagEnd::CodeBlock) => inside = false,
            Event::Text(code) if inside => {
                if let Some(block) = found.last_mut() {
                    block.push_str(&code);
                }
            }
            _ => {}
        }
    }
    found
}

/// Returns the anchors of a page's headings, as forges make them.
#[expect(clippy::wildcard_enum_match_arm, reason = "all else is no matter here")]
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                found.extend(heading.take().map(|title| {
                    title
                        .to_lowercase()
                        .chars()
                        .filter_map(|c| match c {
                            ' ' => Some('-'),
                            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
                            _ => None,
                        })
                        .collect()
                }));
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some(title) = &mut heading {
                    title.push_str(&words);
                }
            }
            _ => {}
        }
    }
    found
}

#[test]
fn every_command_that_is_shown_is_a_good_call() {
    assert_isolated();
    let faults = Faults::default();
    let program = Path::new(env!("CARGO_BIN_EXE_legwork"));
    let folder = program.parent().expect("its folder").display();
    let mut count = 0;
    for (page, text) in pages() {
        for block in blocks(&text, "sh") {
            for line in block.lines().filter(|line| line.contains("legwork ")) {
                count += 1;
                let mut world = World::new();
                world.configure(
                    "[github]\napi_url = 'http://127.0.0.1:9'\n[ssh]\nconnect_timeout_s = 2\n",
                );
                world.set("PATH", format!("{folder}:/usr/local/bin:/usr/bin:/bin"));
                let output = world
                    .command("sh")
                    .args(["-c", line])
                    .output()
                    .expect("sh starts");
                let (answer, broken) = schemas::judge(&output);
                for fault in broken {
                    faults.note(format!("{page}: {line}: {fault}"));
                }
                let wrong = [
                    "spec_invalid",
                    "spec_unreadable",
                    "unknown_primitive",
                    "internal",
                ];
                let code = answer["error_code"].as_str().unwrap_or_default();
                faults.unless(!wrong.contains(&code), || {
                    format!("{page}: {line}: {answer}")
                });
            }
        }
    }
    assert!(count > 20, "only {count} commands were found");
    faults.none();
}

#[test]
fn every_answer_that_is_shown_keeps_the_contract() {
    let faults = Faults::default();
    let mut count = 0;
    for (page, text) in pages() {
        for block in blocks(&text, "json") {
            count += 1;
            let answer: Value = serde_json::from_str(&block).expect("JSON");
            let primitive = answer["primitive"].as_str().unwrap_or_default();
            let (name, inner) = if answer["ok"] == true {
                (format!("{primitive}.output"), &answer["data"])
            } else {
                let code = answer["error_code"].as_str().unwrap_or_default();
                (format!("error-details/{code}"), &answer["details"])
            };
            for fault in schemas::faults("envelope", &answer)
                .into_iter()
                .chain(schemas::faults(&name, inner))
            {
                faults.note(format!("{page}: {fault}"));
            }
        }
    }
    assert!(count > 0, "no answer is shown");
    faults.none();
}

/// Returns where the links and images of a page lead, as far as that is in the repository.
#[expect(clippy::wildcard_enum_match_arm, reason = "all else is no matter here")]
fn links(text: &str) -> Vec<String> {
    Parser::new_ext(text, Options::ENABLE_TABLES)
        .filter_map(|event| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                Some(dest_url.to_string())
            }
            _ => None,
        })
        .filter(|link| !link.contains("://"))
        .collect()
}

#[test]
fn every_page_is_reached_from_the_readme() {
    let pages: BTreeMap<PathBuf, String> = pages()
        .into_iter()
        .map(|(page, text)| (fs::canonicalize(top().join(page)).expect("a page"), text))
        .collect();
    let mut reached = BTreeSet::new();
    let mut next = vec![fs::canonicalize(top().join("README.md")).expect("the README")];
    while let Some(page) = next.pop() {
        let Some(text) = pages.get(&page).filter(|_| !reached.contains(&page)) else {
            continue;
        };
        let folder = page.parent().expect("a folder");
        for link in links(text) {
            let path = link.split('#').next().unwrap_or_default();
            next.extend(fs::canonicalize(folder.join(path)));
        }
        reached.insert(page);
    }
    let lost: Vec<&PathBuf> = pages
        .keys()
        .filter(|page| !reached.contains(*page))
        .collect();
    assert!(lost.is_empty(), "no link leads to {lost:?}");
}

#[test]
fn every_link_leads_somewhere() {
    let faults = Faults::default();
    let mut count = 0;
    for (page, text) in pages() {
        let own = top().join(&page);
        for link in links(&text) {
            count += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() {
                own.clone()
            } else {
                own.parent().expect("a folder").join(path)
            };
            if !target.exists() {
                faults.note(format!("{page}: {link} leads nowhere"));
            } else if !anchor.is_empty() {
                let text = fs::read_to_string(&target).expect("a page");
                faults.unless(anchors(&text).contains(anchor), || {
                    format!("{page}: {link} names no heading")
                });
            }
        }
    }
    assert!(count > 100, "only {count} links were found");
    faults.none();
}

/// Names what is wrong with the tests that a text names, and returns how many it names.
fn check_named_tests(text: &str, faults: &Faults) -> usize {
    let mut count = 0;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        let Event::Code(words) = event else {
            continue;
        };
        let parts: Vec<&str> = words.split("::").collect();
        let Some((name, modules)) = parts.split_last() else {
            continue;
        };
        let file = top()
            .join("tests/it")
            .join(modules.join("/"))
            .with_extension("rs");
        if modules.is_empty() || modules[0] == "surfaces" {
            continue;
        }
        count += 1;
        let source = fs::read_to_string(&file).unwrap_or_default();
        faults.unless(source.contains(&format!("fn {name}(")), || {
            format!("{words} is no test")
        });
    }
    count
}

#[test]
fn every_test_that_is_named_exists() {
    let faults = Faults::default();
    let text = fs::read_to_string(top().join("docs/architecture.md")).expect("the page");
    let count = check_named_tests(&text, &faults);
    assert!(count > 20, "only {count} tests are named");
    faults.none();
}

#[test]
fn every_claim_about_trust_names_what_enforces_it_and_a_test_that_holds_it() {
    let faults = Faults::default();
    let text = fs::read_to_string(top().join("docs/trust.md")).expect("the page");
    let claims: Vec<&str> = text
        .split("## What is enforced")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .expect("the table of claims")
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| claim "))
        .collect();
    assert!(claims.len() > 8, "only {} claims were found", claims.len());
    for claim in claims {
        let cells = claim.trim_matches('|').split('|').map(str::trim);
        let cells: Vec<&str> = cells.collect();
        faults.unless(cells.len() == 4 && !cells[1].is_empty(), || {
            format!("no claim with four cells: {claim}")
        });
        let count = check_named_tests(cells.last().unwrap_or(&""), &faults);
        faults.unless(count > 0, || format!("no test holds: {claim}"));
    }
    faults.none();
}

#[test]
fn every_crash_point_is_listed() {
    let files = files_with("rs", &top().join("src"));
    let call = ["failpoint::", "reached(\""].concat();
    let reached: BTreeSet<String> = files
        .iter()
        .flat_map(|path| {
            let text = fs::read_to_string(path).expect("a source file");
            text.split(&call)
                .skip(1)
                .filter_map(|rest| rest.split('"').next().map(str::to_owned))
                .collect::<Vec<_>>()
        })
        .collect();
    let text = fs::read_to_string(top().join("docs/architecture.md")).expect("the page");
    let listed: BTreeSet<String> = text
        .split("## Crash points")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .expect("the table of crash points")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect();
    assert!(reached.len() > 10, "{reached:?}");
    assert_eq!(listed, reached);
}

#[test]
fn pages_name_nothing_of_the_machine_they_were_written_on() {
    let faults = Faults::default();
    for (page, text) in pages() {
        for word in ["/work/", "../shared", "/root/", "localhost", "/home/user"] {
            faults.unless(!text.contains(word), || format!("{page} names {word}"));
        }
    }
    let lock = fs::read_to_string(top().join("Cargo.lock")).expect("the lock file");
    for line in lock.lines().filter(|line| line.starts_with("source = ")) {
        faults.unless(
            line == "source = \"registry+https://github.com/rust-lang/crates.io-index\"",
            || format!("Cargo.lock names another source: {line}"),
        );
    }
    let readme = fs::read_to_string(top().join("README.md")).expect("the README");
    let before = readme
        .split("cargo run --release -- demo")
        .next()
        .unwrap_or_default();
    faults.unless(before.lines().count() < 40, || {
        "the first useful thing is not on the first two screens".to_owned()
    });
    faults.none();
}
