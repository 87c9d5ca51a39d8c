//! Proofs: what was verified, signed, carried by the commit of the diff, and checked by a stranger.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use serde_json::{Value, json};

use crate::{
    docs::blocks,
    support::{CHECK, Call, Faults, Workplace, World, data, eventually, fed, json_lines},
};

/// The list of allowed signers of a world, and the only identity in it.
const SIGNER: &str = "ada@example.org";

/// What is signed for.
const NAMESPACE: &str = "legwork@verification";

/// The files of the frozen proof: one that a released legwork wrote, which every later one takes.
const FILES: [&str; 3] = ["statement.json", "statement.json.sig", "changes.diff"];

/// The `shell` blocks of the page on proofs that check one: in a folder, and in a clone.
fn scripts() -> [String; 2] {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/proof.md");
    let text = fs::read_to_string(page).expect("the page");
    let found: Vec<String> = blocks(&text, "shell")
        .into_iter()
        .filter(|block| block.contains("ssh-keygen"))
        .collect();
    for script in &found {
        assert!(script.lines().count() <= 10, "{script}");
        assert!(!script.contains("legwork check-proof"), "{script}");
    }
    found.try_into().expect("two scripts")
}

fn call(world: &World, primitive: &str, input: &Value) -> Call {
    world.legwork([primitive, "--json", &input.to_string()])
}

/// Makes a key, and returns its private file.
fn key(world: &World, name: &str, passphrase: &str) -> PathBuf {
    let path = world.path(name);
    let made = world
        .command("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-C", SIGNER, "-N", passphrase, "-f"])
        .arg(&path)
        .status();
    assert!(made.expect("ssh-keygen starts").success());
    path
}

/// Writes a list of allowed signers with one key, and returns its file.
fn allow(world: &World, name: &str, identity: &str, options: &str, key: &Path) -> PathBuf {
    let public = fs::read_to_string(key.with_extension("pub")).expect("the public key");
    let path = world.path(name);
    fs::write(&path, format!("{identity} {options} {public}")).expect("the list");
    path
}

/// The frozen proof, copied into a world.
struct Frozen {
    world: World,
    folder: PathBuf,
    allowed: PathBuf,
}

impl Frozen {
    fn new() -> Self {
        let world = World::new();
        let folder = world.path("frozen");
        fs::create_dir(&folder).expect("a folder");
        for name in FILES {
            fs::copy(data("proof").join(name), folder.join(name)).expect("a copy");
        }
        Self {
            folder,
            allowed: data("proof").join("allowed_signers"),
            world,
        }
    }

    /// Returns the input that checks the proof in a folder.
    fn input(&self, folder: &Path) -> Value {
        json!({
            "statement": folder.join("statement.json"), "diff": folder.join("changes.diff"),
            "allowed_signers": self.allowed,
        })
    }

    fn check(&self, more: &Value) -> Call {
        let mut input = self.input(&self.folder);
        for (name, value) in more.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        call(&self.world, "check-proof", &input)
    }
}

/// Returns the parts that a refusal names.
fn parts(refused: &Call) -> Vec<String> {
    let findings = refused.details()["findings"].as_array().expect("findings");
    findings
        .iter()
        .map(|finding| finding["part"].as_str().expect("a part").to_owned())
        .collect()
}

#[test]
fn a_proof_that_an_earlier_legwork_signed_still_holds() {
    let frozen = Frozen::new();
    let checked = frozen
        .check(&json!({"require": "fixed", "identity": SIGNER}))
        .ok();
    assert_eq!(checked.text("/signature"), "valid");
    assert_eq!(checked.text("/identity"), SIGNER);
    assert!(checked.text("/key").starts_with("SHA256:"));
    assert_eq!(checked.at("/checked"), json!(["signature", "diff"]));
    assert_eq!(checked.text("/claims/verdict"), "fixed");
    assert_eq!(checked.at("/claims/reds"), 2);
    assert_eq!(checked.text("/claims/caveats/0/kind"), "strangers_repro");
    assert!(checked.warnings().is_empty(), "{}", checked.line());

    // The diff that is not in hand is not compared, and that is said.
    let checked = frozen.check(&json!({"diff": null})).ok();
    assert_eq!(checked.at("/checked"), json!(["signature"]));
    assert_eq!(checked.warnings().len(), 1);

    let [script, _] = scripts();
    assert!(
        run(&frozen.world, &script, &frozen.folder, &frozen.allowed)
            .status
            .success()
    );
}

/// Runs the script of the page on the folder of a proof.
fn run(world: &World, script: &str, folder: &Path, allowed: &Path) -> Output {
    world
        .command("sh")
        .args(["-c", script, "check.sh"])
        .arg(allowed)
        .arg(SIGNER)
        .current_dir(folder)
        .output()
        .expect("sh starts")
}

#[test]
fn five_hundred_flipped_bits_refuse_a_proof() {
    let frozen = Frozen::new();
    let [script, _] = scripts();
    let original = FILES.map(|name| fs::read(frozen.folder.join(name)).expect("a file"));
    // The same flips every time (Knuth's generator), spread over the three files and all of their bits.
    let mut random: u64 = 8;
    let mut next = |most: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).expect("a number") % most
    };
    let mut lines = Vec::new();
    let mut flips = Vec::new();
    for number in 0..500 {
        let file = number % FILES.len();
        let (byte, bit) = (next(original[file].len()), next(8));
        let folder = frozen.world.path(format!("flipped/{number}"));
        fs::create_dir_all(&folder).expect("a folder");
        for (index, name) in FILES.iter().enumerate() {
            let mut bytes = original[index].clone();
            if index == file {
                bytes[byte] ^= 1 << bit;
            }
            fs::write(folder.join(name), bytes).expect("a copy");
        }
        let input = frozen.input(&folder);
        lines.push(json!({"id": number, "primitive": "check-proof", "input": input}).to_string());
        flips.push((FILES[file], byte, bit));
        if number % 25 == 0 {
            let output = run(&frozen.world, &script, &folder, &frozen.allowed);
            assert!(
                !output.status.success(),
                "the script takes {:?}",
                flips[number]
            );
        }
    }
    let whole =
        json!({"id": 500, "primitive": "check-proof", "input": frozen.input(&frozen.folder)});
    lines.push(whole.to_string());
    let output = fed(
        &mut frozen.world.legwork_command(["batch"]),
        format!("{}\n", lines.join("\n")),
    );
    let answers = json_lines(&output);
    assert_eq!(answers.len(), 501);
    let faults = Faults::default();
    for answer in answers {
        let number = usize::try_from(answer["id"].as_u64().expect("an id")).expect("a number");
        if number == 500 {
            faults.unless(answer["ok"] == true, || format!("unflipped: {answer}"));
            continue;
        }
        let (file, byte, bit) = flips[number];
        let expected: &[&str] = match file {
            "changes.diff" => &["proof_mismatch"],
            "statement.json" => &["proof_invalid", "signature_refused"],
            _ => &["signature_refused"],
        };
        let code = answer["error_code"].as_str().unwrap_or("no error");
        faults.unless(expected.contains(&code), || {
            format!("bit {bit} of byte {byte} of {file}: {answer}")
        });
    }
    faults.none();
}

#[test]
fn nothing_but_a_signature_of_an_allowed_signer_is_valid() {
    let frozen = Frozen::new();
    let statement = frozen.folder.join("statement.json");
    let signature = frozen.folder.join("statement.json.sig");
    let good = fs::read(&signature).expect("the signature");

    let refused = frozen.check(&json!({"identity": "eve@example.org"}));
    assert_eq!(refused.error_code(), "signature_refused");
    assert_eq!(parts(&refused), ["signer"]);

    // A list without the key, one whose key is for another use, and one that has run out.
    let mine = key(&frozen.world, "mine", "");
    let others = allow(&frozen.world, "others", SIGNER, "", &mine);
    let refused = frozen.check(&json!({"allowed_signers": others}));
    assert_eq!(refused.error_code(), "signature_refused");
    assert_eq!(parts(&refused), ["signer"]);
    let listed = fs::read_to_string(&frozen.allowed).expect("the list");
    for options in ["namespaces=\"git\"", "valid-before=\"20200101\""] {
        let path = frozen.world.path("limited");
        fs::write(
            &path,
            listed.replace(&format!("namespaces=\"{NAMESPACE}\""), options),
        )
        .expect("the list");
        let refused = frozen.check(&json!({"allowed_signers": path}));
        assert_eq!(refused.error_code(), "signature_refused", "{options}");
    }
    let refused = frozen.check(&json!({"allowed_signers": null}));
    assert_eq!(refused.error_code(), "signature_refused");
    let unchecked = frozen
        .check(&json!({"allowed_signers": null, "allow_unsigned": true}))
        .ok();
    assert_eq!(unchecked.text("/signature"), "unchecked");
    assert_eq!(unchecked.at("/identity"), Value::Null);

    // The list of the configuration is used where the call names none.
    let toml = format!(
        "[proof]\nallowed_signers = '{}'\n",
        frozen.allowed.display()
    );
    frozen.world.configure(&toml);
    let checked = frozen.check(&json!({"allowed_signers": null})).ok();
    assert_eq!(checked.text("/signature"), "valid");

    // A signature of the same key for another use, and one by a key of mine that the list does not have.
    for (namespace, part) in [("git", "signature"), (NAMESPACE, "signer")] {
        sign(&frozen.world, &mine, namespace, &statement);
        let refused = frozen.check(&json!({}));
        assert_eq!(refused.error_code(), "signature_refused", "{namespace}");
        assert_eq!(parts(&refused), [part]);
    }
    fs::write(&signature, b"no signature").expect("a file");
    assert_eq!(frozen.check(&json!({})).error_code(), "signature_refused");

    // One that is missing is never valid, and one that does not hold is not taken for a missing one.
    let refused = frozen.check(&json!({"allow_unsigned": true}));
    assert_eq!(refused.error_code(), "signature_refused");
    fs::remove_file(&signature).expect("the signature goes");
    assert_eq!(frozen.check(&json!({})).error_code(), "proof_unsigned");
    let unsigned = frozen.check(&json!({"allow_unsigned": true})).ok();
    assert_eq!(unsigned.text("/signature"), "none");
    assert_eq!(unsigned.at("/checked"), json!(["diff"]));
    assert_eq!(unsigned.warnings().len(), 1);
    let [script, _] = scripts();
    assert!(
        !run(&frozen.world, &script, &frozen.folder, &frozen.allowed)
            .status
            .success()
    );

    // A signature elsewhere is used where it is named.
    let elsewhere = frozen.world.path("elsewhere.sig");
    fs::write(&elsewhere, good).expect("the signature");
    let checked = frozen.check(&json!({"signature": elsewhere})).ok();
    assert_eq!(checked.text("/signature"), "valid");
}

/// Signs a file, as anybody can.
fn sign(world: &World, key: &Path, namespace: &str, file: &Path) {
    let place = PathBuf::from(format!("{}.sig", file.display()));
    fs::remove_file(&place).ok();
    let signed = world
        .command("ssh-keygen")
        .args(["-Y", "sign", "-q", "-n", namespace, "-f"])
        .arg(key)
        .arg(file)
        .output()
        .expect("ssh-keygen starts");
    assert!(signed.status.success(), "{signed:?}");
}

#[test]
fn what_is_no_statement_is_refused_whoever_signed_it() {
    let frozen = Frozen::new();
    let mine = key(&frozen.world, "mine", "");
    let allowed = allow(&frozen.world, "allowed", SIGNER, "", &mine);
    let statement = frozen.folder.join("statement.json");
    let text = fs::read_to_string(&statement).expect("the statement");
    let fixed = "\"verdict\":\"fixed\"";
    let hostile = [
        format!("{text}\n"),
        text.replace(fixed, &format!("{fixed},{fixed}")),
        text.replace(fixed, &format!("\"verdict\":\"not_fixed\",{fixed}")),
        text.replace("\"subject\":[", "\"subject\": ["),
        text.replace("verification:v1", "verification:v2"),
        text.replace("3.33", "1e999"),
        text.replace(
            fixed,
            &format!("\"verdict\":{}1{}", "[".repeat(9999), "]".repeat(9999)),
        ),
        text.replace(fixed, "\"verdict\":{}"),
        "[".repeat(1 << 19),
        "{}".to_owned(),
        String::new(),
    ];
    for text in hostile {
        fs::write(&statement, &text).expect("the statement");
        sign(&frozen.world, &mine, NAMESPACE, &statement);
        let refused = frozen.check(&json!({"allowed_signers": allowed}));
        let start: String = text.chars().take(80).collect();
        assert_eq!(refused.error_code(), "proof_invalid", "{start}");
        assert_eq!(parts(&refused), ["statement"]);
    }
    let huge = fs::File::create(&statement).expect("the statement");
    huge.set_len(1 << 40).expect("a hole");
    assert_eq!(frozen.check(&json!({})).error_code(), "proof_file_unusable");
    for (field, wrong) in [
        ("statement", frozen.world.path("nothing")),
        ("statement", frozen.folder.clone()),
        ("statement", PathBuf::from(frozen.world.fifo())),
    ] {
        let refused = frozen.check(&json!({field: wrong}));
        assert_eq!(refused.error_code(), "proof_file_unusable");
    }
    let said = call(&frozen.world, "check-proof", &json!({}));
    assert_eq!(said.error_code(), "spec_invalid");
    let unknown = call(&frozen.world, "check-proof", &json!({"job_id": "nobody"}));
    assert_eq!(unknown.error_code(), "job_not_found");
}

#[test]
fn a_proof_that_says_less_than_a_fix_holds_and_is_not_enough() {
    let frozen = Frozen::new();
    let mine = key(&frozen.world, "mine", "");
    let allowed = allow(&frozen.world, "allowed", SIGNER, "", &mine);
    let statement = frozen.folder.join("statement.json");
    let text = fs::read_to_string(&statement).expect("the statement");
    let check = |more: &Value| {
        let mut input = more.clone();
        input["allowed_signers"] = json!(allowed);
        frozen.check(&input)
    };
    let [script, _] = scripts();
    for (less, accept) in [
        (
            text.replace("\"verdict\":\"fixed\"", "\"verdict\":\"not_fixed\""),
            false,
        ),
        (text.replace("\"blocks\":false", "\"blocks\":true"), true),
    ] {
        assert_ne!(less, text);
        fs::write(&statement, less).expect("the statement");
        sign(&frozen.world, &mine, NAMESPACE, &statement);
        check(&json!({})).ok();
        let refused = check(&json!({"require": "fixed"}));
        assert_eq!(refused.error_code(), "requirement_unmet");
        let accepting = check(&json!({"require": "fixed", "accept": ["strangers_repro"]}));
        assert_eq!(accepting.is_ok(), accept, "{}", accepting.line());
        assert!(
            !run(&frozen.world, &script, &frozen.folder, &allowed)
                .status
                .success()
        );
    }
    let refused = check(&json!({"accept": ["strangers_repro"]}));
    assert_eq!(refused.error_code(), "spec_invalid");
}

/// A verified job on this machine, and a key to sign with.
struct Proven {
    place: Workplace,
    job_id: String,
    key: PathBuf,
    allowed: PathBuf,
}

impl Proven {
    fn new() -> Self {
        let place = Workplace::here();
        let job_id = place.launched("mender", &json!({"verify": CHECK}));
        assert_eq!(place.ended(&job_id)["state"], "succeeded");
        let key = key(place.world(), "signer", "");
        let options = format!("namespaces=\"{NAMESPACE}\"");
        let allowed = allow(place.world(), "allowed", SIGNER, &options, &key);
        Self {
            place,
            job_id,
            key,
            allowed,
        }
    }

    fn verify(&self) {
        let verified = self.call("verify-fix", &json!({})).ok();
        assert_eq!(verified.text("/verdict"), "fixed", "{}", verified.line());
    }

    fn call(&self, primitive: &str, more: &Value) -> Call {
        let mut input = json!({"job_id": self.job_id});
        for (name, value) in more.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        self.place.call(primitive, &input)
    }

    fn checkout(&self) -> PathBuf {
        self.place.world().path("widgets")
    }

    /// Checks a proof that a commit carries.
    fn check_commit(&self, commit: &str) -> Call {
        let input =
            json!({"commit": commit, "checkout": self.checkout(), "allowed_signers": self.allowed});
        self.place.call("check-proof", &input)
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.place
            .world()
            .git(&self.checkout(), arguments)
            .trim()
            .to_owned()
    }

    /// Runs the script of the page on a commit of the checkout.
    fn run_on(&self, commit: &str) -> bool {
        let [_, script] = scripts();
        let output = self
            .place
            .world()
            .command("sh")
            .args(["-c", &script, "check.sh", commit])
            .arg(&self.allowed)
            .arg(SIGNER)
            .current_dir(self.checkout())
            .output()
            .expect("sh starts");
        output.status.success()
    }
}

#[test]
fn what_was_verified_is_signed_and_carried_by_its_commit() {
    let proven = Proven::new();
    let unverified = proven.call("fetch-proof", &json!({}));
    assert_eq!(unverified.error_code(), "job_not_verified");
    assert_eq!(unverified.next()[0].primitive, "verify-fix");
    let missing = proven.call("check-proof", &json!({}));
    assert_eq!(missing.error_code(), "proof_missing");
    proven.verify();
    proven.call("fetch-artifacts", &json!({})).ok();

    // Unsigned, and said so; the same bytes again.
    let dry = proven.call("fetch-proof", &json!({"dry_run": true})).ok();
    assert_eq!(dry.effect(), "none");
    assert!(!Path::new(&dry.text("/folder")).exists());
    let unsigned = proven.call("fetch-proof", &json!({})).ok();
    assert_eq!(unsigned.effect(), "applied");
    assert_eq!(unsigned.at("/signature"), Value::Null);
    assert_eq!(unsigned.warnings().len(), 1);
    let folder = PathBuf::from(unsigned.text("/folder"));
    let statement = fs::read(folder.join("statement.json")).expect("the statement");
    let again = proven.call("fetch-proof", &json!({})).ok();
    assert_eq!(again.effect(), "replayed");
    let refused = proven.call("check-proof", &json!({"allowed_signers": proven.allowed}));
    assert_eq!(refused.error_code(), "proof_unsigned");

    // Signed, once; and the signature stays where no key is named.
    let key = json!({"key": proven.key});
    let signed = proven.call("fetch-proof", &key).ok();
    assert_eq!(signed.effect(), "applied");
    assert!(signed.text("/signature/key").starts_with("SHA256:"));
    for input in [&key, &json!({})] {
        let again = proven.call("fetch-proof", input).ok();
        assert_eq!(again.effect(), "replayed");
        assert_eq!(again.at("/signature"), signed.at("/signature"));
    }
    assert_eq!(
        fs::read(folder.join("statement.json")).expect("it"),
        statement
    );
    let other = proven.place.world().path("other");
    let elsewhere = proven.call("fetch-proof", &json!({"folder": other, "key": proven.key}));
    elsewhere.ok();
    for name in FILES {
        let both = [&folder, &other].map(|folder| fs::read(folder.join(name)).expect("a file"));
        assert_eq!(both[0], both[1], "{name}");
    }
    let checked = proven
        .call(
            "check-proof",
            &json!({"allowed_signers": proven.allowed, "require": "fixed"}),
        )
        .ok();
    assert_eq!(checked.text("/signature"), "valid");
    assert_eq!(
        checked.at("/checked"),
        json!(["signature", "verification", "diff"])
    );
    let [script, _] = scripts();
    let world = proven.place.world();
    assert!(
        run(world, &script, &folder, &proven.allowed)
            .status
            .success()
    );

    // The commit names the statement, and its notes hold the very bytes: also where the call that made it was killed.
    let checkout = proven.checkout();
    let mut input = json!({"job_id": proven.job_id, "checkout": checkout});
    proven.place.killed("apply.after_ref", "apply-diff", &input);
    let branch = format!("legwork/{}", proven.job_id);
    assert_eq!(proven.check_commit(&branch).error_code(), "proof_missing");
    let applied = proven.place.call("apply-diff", &input).ok();
    assert_eq!(applied.effect(), "applied");
    assert_eq!(applied.at("/proof/signed"), true);
    assert_eq!(applied.at("/proof/noted"), true);
    let again = proven.place.call("apply-diff", &input).ok();
    assert_eq!(again.effect(), "replayed");
    input["dry_run"] = json!(true);
    proven.place.call("apply-diff", &input).ok();
    let trailer = proven.git(&[
        "log",
        "-1",
        "--format=%(trailers:key=Legwork-Proof,valueonly)",
        &branch,
    ]);
    assert_eq!(
        trailer,
        format!("sha256:{}", signed.text("/statement_sha256"))
    );
    let note = proven.git(&["notes", "--ref=legwork", "list", &branch]);
    let noted = world
        .command("git")
        .args(["cat-file", "blob", &note])
        .current_dir(&checkout)
        .output()
        .expect("git starts");
    assert_eq!(noted.stdout, statement);
    assert!(signed.at("/claims/tree").is_string());
    check_commits(&proven, &branch);
    check_jobs(&proven, &folder);
}

/// Checks the commit that carries the proof, and others that do not or no longer fit it.
fn check_commits(proven: &Proven, branch: &str) {
    let checked = proven.check_commit(branch).ok();
    assert_eq!(
        checked.at("/checked"),
        json!(["signature", "tree", "trailer"])
    );
    assert_eq!(checked.text("/identity"), SIGNER);
    assert!(proven.run_on(branch));

    // A clone that fetches the notes checks the same.
    assert_eq!(proven.check_commit("HEAD").error_code(), "proof_missing");
    assert_eq!(proven.check_commit("nothing").error_code(), "ref_not_found");
    let nowhere = json!({"commit": "HEAD", "checkout": proven.place.world().path("nowhere")});
    let refused = proven.place.call("check-proof", &nowhere);
    assert_eq!(refused.error_code(), "checkout_invalid");

    // Another tree, another base, another statement: with the notes of the one that was verified.
    let tree = proven.git(&["rev-parse", "main^{tree}"]);
    let verified = proven.git(&["rev-parse", &format!("{branch}^{{tree}}")]);
    let message = proven.git(&["log", "-1", "--format=%B", branch]);
    let head = proven.git(&["rev-parse", "main"]);
    let elsewhere = proven.git(&["commit-tree", "-p", branch, "-m", "Else", &tree]);
    let foreign = message.replace("Legwork-Proof: sha256:", "Legwork-Proof: sha256:0");
    for (parent, tree, message, part) in [
        (&head, &tree, &message, "tree"),
        (&elsewhere, &verified, &message, "tree"),
        (&head, &verified, &foreign, "trailer"),
    ] {
        let forged = proven.git(&["commit-tree", "-p", parent, "-m", message, tree]);
        for notes in ["legwork", "legwork-signature"] {
            let named = format!("--ref={notes}");
            proven.git(&["notes", &named, "copy", "-f", branch, &forged]);
        }
        let refused = proven.check_commit(&forged);
        assert_eq!(refused.error_code(), "proof_mismatch");
        assert_eq!(parts(&refused), [part]);
        assert!(!proven.run_on(&forged), "the script takes another {part}");
    }

    // A note whose object is gone is git's to say.
    let blob = proven.git(&["notes", "--ref=legwork", "list", branch]);
    let object = proven
        .checkout()
        .join(".git/objects")
        .join(&blob[..2])
        .join(&blob[2..]);
    let away = proven.place.world().path("away");
    fs::rename(&object, &away).expect("the object goes");
    assert_eq!(proven.check_commit(branch).error_code(), "git_failed");
    fs::rename(&away, &object).expect("the object comes back");
    proven.check_commit(branch).ok();
}

/// Checks the proof against the record of the job, and keys that cannot sign.
fn check_jobs(proven: &Proven, folder: &Path) {
    let allowed = json!({"allowed_signers": proven.allowed});
    let diff = folder.join("changes.diff");
    let whole = fs::read(&diff).expect("the diff");
    fs::write(&diff, [whole.as_slice(), b"\n"].concat()).expect("another diff");
    let refused = proven.call("check-proof", &allowed);
    assert_eq!(refused.error_code(), "proof_mismatch");
    assert_eq!(parts(&refused), ["diff"]);
    fs::remove_file(&diff).expect("the diff goes");
    proven.call("fetch-proof", &json!({})).ok();
    proven.call("check-proof", &allowed).ok();

    let statement = folder.join("statement.json");
    let text = fs::read_to_string(&statement).expect("the statement");
    let forged = text.replace("\"agent\":\"mender\"", "\"agent\":\"meddler\"");
    assert_ne!(forged, text);
    fs::write(&statement, forged).expect("a forged statement");
    sign(proven.place.world(), &proven.key, NAMESPACE, &statement);
    let refused = proven.call("check-proof", &allowed);
    assert_eq!(refused.error_code(), "proof_mismatch");
    assert_eq!(parts(&refused), ["verification"]);
    let mended = proven.call("fetch-proof", &json!({"key": proven.key})).ok();
    assert_eq!(mended.effect(), "applied");
    proven.call("check-proof", &allowed).ok();

    // What is somebody else's is not written over.
    let elsewhere = proven.place.world().path("mine");
    fs::create_dir(&elsewhere).expect("a folder");
    fs::write(elsewhere.join("statement.json"), "{\"mine\": true}\n").expect("a file");
    let refused = proven.call("fetch-proof", &json!({"folder": elsewhere}));
    assert_eq!(refused.error_code(), "proof_file_unusable");
    assert_eq!(refused.effect(), "none");
}

#[test]
fn a_key_that_cannot_sign_is_named_and_nothing_is_written() {
    let mut proven = Proven::new();
    proven.verify();
    let world = proven.place.world();
    let locked = key(world, "locked", "a passphrase");
    let open = key(world, "open", "");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).expect("an open file");
    let lonely = key(world, "lonely", "").with_extension("pub");
    fs::rename(world.path("lonely"), world.path("away")).expect("the private key goes");
    let text = world.path("text");
    fs::write(&text, "no key\n").expect("a file");
    for (key, reason) in [
        (world.path("nothing"), "not_found"),
        (text, "no_key"),
        (open, "too_open"),
        (locked, "passphrase"),
        (lonely.clone(), "not_in_agent"),
    ] {
        let refused = proven.call("fetch-proof", &json!({"key": key}));
        assert_eq!(refused.error_code(), "signing_failed", "{reason}");
        assert_eq!(refused.details()["reason"], reason, "{}", refused.line());
        assert_eq!(refused.effect(), "none", "{reason}");
    }
    let folder = world
        .path("state/legwork/results")
        .join(&proven.job_id)
        .join("1/proof");
    assert!(!folder.exists());

    // The public key is enough where the ssh-agent has the private one.
    let socket = world.path("agent");
    let mut agent = world
        .command("ssh-agent")
        .arg("-D")
        .arg("-a")
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .expect("ssh-agent starts");
    eventually("the agent listens", || socket.exists());
    let added = world
        .command("ssh-add")
        .arg("-q")
        .arg(world.path("away"))
        .env("SSH_AUTH_SOCK", &socket)
        .status();
    let input = json!({"job_id": proven.job_id, "key": lonely});
    let signed = world
        .legwork_command(["fetch-proof", "--json", &input.to_string()])
        .env("SSH_AUTH_SOCK", &socket)
        .output()
        .map(|output| Call::read(&output));
    agent
        .kill()
        .and_then(|()| agent.wait())
        .expect("the agent ends");
    assert!(added.expect("ssh-add starts").success());
    let signed = signed.expect("legwork starts").ok();
    assert_eq!(signed.effect(), "applied");
    assert_ne!(signed.at("/signature"), Value::Null);

    // The key of the configuration is used where the call names none.
    let toml = format!("[proof]\nkey = '{}'\n", proven.key.display());
    world.configure(&toml);
    let signed = proven.call("fetch-proof", &json!({})).ok();
    assert_ne!(signed.at("/signature"), Value::Null);

    // A statement that says less than `fixed` holds, and does not meet what is required.
    let agent = json!({"statement": folder.join("statement.json"), "allow_unsigned": true});
    proven.place.call("check-proof", &agent).ok();
    proven.place.world_mut().set("PATH", "/nowhere");
    for (primitive, input) in [
        ("fetch-proof", json!({"job_id": proven.job_id})),
        ("check-proof", agent),
    ] {
        let refused = proven.place.call(primitive, &input);
        assert_eq!(refused.error_code(), "ssh_keygen_missing");
    }
    let checkout = proven.checkout();
    let commit = json!({"commit": "HEAD", "checkout": checkout});
    let refused = proven.place.call("check-proof", &commit);
    assert_eq!(refused.error_code(), "git_missing");
}
