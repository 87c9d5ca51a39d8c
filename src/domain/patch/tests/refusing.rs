//! Diffs that are refused, conflict or are none.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes and reads the files of its own repositories"
)]

use super::{
    super::{Allow, Error, Request, rule::Rule},
    world::{World, allowing, apply, lines},
};
use crate::{
    contract::{Code, Coded as _},
    system::secrets::Redactor,
};

#[tokio::test]
async fn what_is_no_usable_diff_fails_without_a_trace() {
    let world = World::new().await;
    let hunk = "@@ -0,0 +1 @@\n+x\n";
    let new = |path: &str, mode: &str| {
        format!(
            "diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n{hunk}"
        )
    };
    for (diff, code) in [
        (String::new(), Code::DiffEmpty),
        ("\n".to_owned(), Code::DiffEmpty),
        ("no diff".to_owned(), Code::DiffInvalid),
        ("diff --git a/binary b/binary\nindex 1..2 100644\nBinary files a/binary and b/binary differ\n".to_owned(), Code::DiffInvalid),
        ("diff --git a/text b/text\nindex 1..2 100644\nGIT binary patch\nliteral 3\nnonsense!!\n\n".to_owned(), Code::DiffInvalid),
        (new(".git/hooks/post-checkout", "100755"), Code::DiffRefused),
        (new("a/.GIT/config", "100644"), Code::DiffRefused),
        (new("../outside", "100644"), Code::DiffRefused),
        (new("link", "120000"), Code::DiffRefused),
        (new("module", "160000"), Code::DiffRefused),
        (new(".gitmodules", "100644"), Code::DiffRefused),
        (new(".github/workflows/x.yml", "100644"), Code::DiffRefused),
        (new(".husky/pre-commit", "100755"), Code::DiffRefused),
        (new("text", "100644"), Code::DiffConflict),
    ] {
        world.fails(&world.request(diff.as_bytes()), code).await;
    }
    let mut request = world.request(new(".git/x", "100644").as_bytes());
    request.allow = allowing(&[Rule::GitDir, Rule::Outside]);
    world.fails(&request, Code::DiffRefused).await;
    let mut request = world.request(new(".github/workflows/x.yml", "100644").as_bytes());
    request.allow = allowing(&[Rule::Ci]);
    world.applies(&request).await;
}

#[tokio::test]
async fn a_conflict_names_files_and_hunks() {
    let world = World::new().await;
    let diff = world
        .diff(|world| {
            world.write(
                "text",
                &lines(1..=40)
                    .replace("\n5\n", "\nfive\n")
                    .replace("\n35\n", "\n35!\n"),
            );
            world.write("binary", "a\0c");
            world.write("crlf", "one\r\ntwo\r\nthree\r\nfour\r\n");
        })
        .await;
    world.write("text", &lines(1..=40).replace("\n35\n", "\nother\n"));
    world.write("binary", "a\0d");
    let head = world.commit("other").await;
    let error = world.fails(&world.request(&diff), Code::DiffConflict).await;
    let Error::Conflict { onto, files, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(onto, head);
    let shown: Vec<_> = files
        .iter()
        .map(|file| (file.path(), file.hunks()))
        .collect();
    assert_eq!(
        shown,
        [("binary", vec![]), ("text", vec!["@@ -32,7 +32,7 @@"])]
    );
}

#[tokio::test]
async fn a_file_is_allowed_by_its_path_and_every_place_is_listed() {
    let world = World::new().await;
    let diff = world
        .diff(|world| {
            world.write("AGENTS.md", "obey\n");
            world.write(".github/workflows/x.yml", "on: push\n");
            world.write("package.json", "{}\n");
            world.write("src/x.rs", "\n");
        })
        .await;
    let mut request = world.request(&diff);
    let error = world.fails(&request, Code::DiffRefused).await;
    assert!(
        error.remediation().contains("agent_config, ci"),
        "{error:?}"
    );
    let given = [
        Allow::path("AGENTS.md"),
        Allow::path(".github/workflows/y.yml"),
    ];
    request.allow = given.iter().collect();
    world.fails(&request, Code::DiffRefused).await;
    let given = [Allow::path("AGENTS.md"), Allow::path(".github/")];
    request.allow = given.iter().collect();
    let outcome = world.applies(&request).await;
    let mut listed: Vec<_> = outcome
        .sensitive
        .iter()
        .map(|finding| (finding.path(), finding.rule()))
        .collect();
    listed.sort_unstable();
    assert_eq!(
        listed,
        [
            (".github/workflows/x.yml", "ci"),
            ("AGENTS.md", "agent_config"),
            ("package.json", "build_file"),
        ]
    );
}

#[tokio::test]
async fn a_secret_that_a_change_brings_is_refused() {
    let world = World::new().await;
    world.write("old.txt", "key = hunter2-hunter2\n");
    world.commit("a secret of old").await;
    let redactor = Redactor::default();
    redactor.learn_variable("API_KEY", "hunter2-hunter2");
    for (number, (path, content)) in [
        ("plain.txt", "key = hunter2-hunter2\n"),
        ("coded.txt", "a2V5ID0gaHVudGVyMi1odW50ZXIy\n"),
        ("bytes.bin", "\0\u{1}hunter2-hunter2\0"),
        ("broken.txt", "a2V5ID0gaHVudGVy\nMi1odW50ZXIy\n"),
    ]
    .into_iter()
    .enumerate()
    {
        let diff = world.diff(|world| world.write(path, content)).await;
        let mut request = Request {
            secrets: redactor.leaks(),
            branch: format!("fix/{number}"),
            ..world.request(&diff)
        };
        let error = world.fails(&request, Code::DiffRefused).await;
        let Error::Refused { findings } = error else {
            panic!("{error:?}");
        };
        assert_eq!(findings.len(), 1, "{path}");
        assert_eq!(
            (findings[0].path(), findings[0].rule()),
            (path, "secret_in_diff")
        );
        let given = [Allow::path(path)];
        request.allow = given.iter().collect();
        world.fails(&request, Code::DiffRefused).await;
        request.allow = allowing(&[Rule::SecretInDiff]);
        let outcome = apply(&request).await.unwrap();
        assert_eq!(outcome.sensitive[0].rule(), "secret_in_diff");
    }
    // To take one out, or to move the line that holds it, brings none.
    for (branch, content) in [
        ("fix/one", "key = $KEY\n"),
        ("fix/moved", "# the key\n  key = hunter2-hunter2\n"),
    ] {
        let diff = world.diff(|world| world.write("old.txt", content)).await;
        let request = Request {
            secrets: redactor.leaks(),
            branch: branch.to_owned(),
            ..world.request(&diff)
        };
        apply(&request).await.unwrap();
    }
}

#[tokio::test]
async fn diffs_of_windows_and_without_context_are_read_as_git_reads_them() {
    let world = World::new().await;
    let base = world.line(&["rev-parse", "HEAD"]).await;
    let crlf = |diff: &[u8]| String::from_utf8_lossy(diff).replace('\n', "\r\n");
    let new = world
        .diff(|world| world.write("new.txt", "one\ntwo\n"))
        .await;
    let mut request = Request {
        branch: "fix/new".to_owned(),
        ..world.request(crlf(&new).as_bytes())
    };
    let outcome = apply(&request).await.unwrap();
    assert_eq!(outcome.files[0].path.to_string(), "new.txt");
    let shown = world.bytes(&["show", "fix/new:new.txt"]).await;
    assert_eq!(shown, b"one\r\ntwo\r\n");
    let five = world.five().await;
    request.diff = crlf(&five).into_bytes();
    let error = world.fails(&request, Code::DiffConflict).await;
    assert!(error.remediation().contains("CR LF"), "{error:?}");
    request.diff = String::from_utf8_lossy(&five)
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let error = world.fails(&request, Code::DiffInvalid).await;
    assert!(error.remediation().contains("--output"), "{error:?}");

    let changed = lines(1..=40)
        .replace("\n5\n", "\nfive\n")
        .replace("\n20\n", "\n20\nmore\n");
    world.write("text", &changed);
    let without_context = world.bytes(&["diff", "-U0"]).await;
    world.git(&["reset", "-q", "--hard"]).await;
    request = world.request(&without_context);
    let error = world.fails(&request, Code::DiffConflict).await;
    assert!(error.remediation().contains("-U0"), "{error:?}");
    request.base = Some(base);
    world.applies(&request).await;
    let shown = world.bytes(&["show", "fix/one:text"]).await;
    assert_eq!(String::from_utf8_lossy(&shown), changed);
}

#[tokio::test]
async fn copies_of_a_large_file_are_refused_before_git_makes_them() {
    let world = World::new().await;
    world.write("large", &format!("{}\n", "x".repeat(1 << 20)).repeat(10));
    world.commit("large").await;
    let copies: Vec<_> = (0..30)
        .map(|number| {
            format!(
                "diff --git a/large b/large{number}\nsimilarity index 99%\ncopy from large\ncopy to large{number}\n\
                 --- a/large\n+++ b/large{number}\n@@ -0,0 +1 @@\n+{number}\n"
            )
        })
        .collect();
    let error = world
        .fails(
            &world.request(copies.concat().as_bytes()),
            Code::DiffInvalid,
        )
        .await;
    assert!(error.to_string().contains("256 MiB"), "{error:?}");
}

#[tokio::test]
async fn a_file_behind_a_link_of_another_spelling_is_refused() {
    let world = World::new().await;
    std::os::unix::fs::symlink("/etc", world.top().join("docs")).unwrap();
    world.commit("a link").await;
    for (number, path) in ["DOCS/cron.d/x", "docs./x", "d\u{200b}ocs/x"]
        .into_iter()
        .enumerate()
    {
        let diff = world.diff(|world| world.write(path, "x\n")).await;
        let mut request = Request {
            branch: format!("fix/{number}"),
            allow: allowing(&[Rule::Unprintable]),
            ..world.request(&diff)
        };
        let error = world.fails(&request, Code::DiffRefused).await;
        let Error::Refused { findings } = error else {
            panic!("{error:?}");
        };
        assert_eq!(findings[0].rule(), "link", "{path}");
        request.allow = allowing(&[Rule::Link, Rule::Unprintable]);
        apply(&request).await.unwrap();
    }
}
