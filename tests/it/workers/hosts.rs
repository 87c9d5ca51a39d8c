//! Tasks on other machines and of agents, and the GPUs of tasks.

use std::fs;

use serde_json::json;

use super::{Yard, lives};
use crate::support::{Gpus, Sshd, eventually, kill};

#[test]
fn a_host_that_does_not_answer_ends_no_task() {
    let yard = Yard::new();
    let mut host = Sshd::start(&yard.world, "box");
    let go = host.home().join("go");
    let script = "echo begun >>tally; until [ -e \"$HOME/go\" ]; do sleep 0.1; done; echo done";
    let task_id = yard.script(script, &json!({"host": "box", "cwd": "~"}));
    let worker = yard.worker(&["--lease-s", "3", "--idle-exit-s", "0"]);
    eventually("it begins", || host.home().join("tally").exists());
    host.stop();
    let before = yard.show(&task_id).text("/task/lease_until");
    eventually("its lease is renewed", || {
        yard.show(&task_id).text("/task/lease_until") > before
    });
    assert_eq!(yard.state(&task_id), "claimed");
    host.start_again();
    fs::write(go, "").expect("a file");
    assert_eq!(worker.ended()["counts"]["succeeded"], 1);
    let shown = yard.show(&task_id);
    assert_eq!(shown.at("/result/exit_code"), 0);
    assert_eq!(shown.text("/result/host"), "box");
    assert_eq!(shown.text("/result/output_tail"), "done\n");
    let tally = fs::read_to_string(host.home().join("tally")).expect("the tally");
    assert_eq!(tally.lines().count(), 1);
}

#[test]
fn a_prompt_is_an_agents_work_and_is_found_again() {
    let yard = Yard::new();
    let go = yard.world.path("go");
    let work = yard.world.path("work");
    fs::create_dir(&work).expect("a folder");
    let agent = format!(
        "cat >>asked; until [ -e '{}' ]; do sleep 0.1; done; echo fixed",
        go.display()
    );
    yard.world.configure(&format!(
        "[agents.mender]\nargv = ['sh', '-c', {}]\n",
        toml::Value::from(agent)
    ));
    let task_id = yard
        .enqueue(&json!([{"prompt": "Mend it.", "agent": "mender", "cwd": work}]))
        .remove(0);
    let first = yard.worker(&[]);
    let asked = work.join("asked");
    eventually("the agent has read its prompt", || {
        fs::read_to_string(&asked).is_ok_and(|text| text == "Mend it.")
    });
    first.killed();
    fs::write(go, "").expect("a file");
    let ended = yard.drained(&[]);
    assert_eq!(
        (&ended["counts"]["adopted"], &ended["counts"]["succeeded"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(fs::read_to_string(&asked).expect("it"), "Mend it.");
    assert_eq!(yard.show(&task_id).at("/task/attempts"), 1);
}

#[test]
fn a_prompt_that_is_cancelled_is_ended_where_it_runs() {
    let yard = Yard::new();
    yard.world.configure(
        "[agents.sleeper]\nargv = ['sh', '-c', 'echo $$ >\"$HOME/pid\"; exec sleep 100']\n",
    );
    let task_id = yard
        .enqueue(&json!([{"prompt": "Sleep.", "agent": "sleeper"}]))
        .remove(0);
    let worker = yard.worker(&["--idle-exit-s", "0"]);
    let pid = yard.world.home().join("pid");
    eventually("the agent runs", || {
        fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n'))
    });
    yard.call("cancel-task", &json!({"task_id": task_id})).ok();
    yard.await_state(&task_id, "cancelled");
    assert_eq!(worker.ended()["counts"]["released"], 1);
}

#[test]
fn the_gpus_of_a_prompt_are_given_back_at_its_end() {
    let yard = Yard::new();
    let gpus = Gpus::furnish(&yard.world, "local");
    yard.world.configure(&gpus.settings());
    yard.world.configure(
        "[agents.seer]\nargv = ['sh', '-c', 'echo $CUDA_VISIBLE_DEVICES; until [ -e \"$HOME/go\" ]; do sleep 0.1; done']\n",
    );
    let free = || {
        yard.call("list-gpus", &json!({"host": "local"}))
            .ok()
            .at("/free")
    };
    let task = json!({"prompt": "Look.", "agent": "seer", "resources": {"gpus": 3}});
    let task_id = yard.enqueue(&json!([task])).remove(0);
    let worker = yard.worker(&["--idle-exit-s", "0"]);
    eventually("they are taken", || free() == 1);
    fs::write(yard.world.home().join("go"), "").expect("a file");
    assert_eq!(worker.ended()["counts"]["succeeded"], 1);
    assert_eq!(free(), 4);
    assert_eq!(yard.state(&task_id), "succeeded");
}

#[test]
fn the_gpus_of_a_task_are_its_own_and_free_when_it_is_gone() {
    let yard = Yard::new();
    let gpus = Gpus::furnish(&yard.world, "local");
    yard.world.configure(&gpus.settings());
    let free = || {
        let listed = yard.call("list-gpus", &json!({"host": "local"})).ok();
        listed.at("/free").as_u64().expect("a number")
    };
    let script = "echo \"$CUDA_VISIBLE_DEVICES\"; until [ -e \"$HOME/go\" ]; do sleep 0.05; done";
    let two = json!({"resources": {"gpus": 2}, "title": "two"});
    let first = yard.script(script, &two);
    let second = yard.script(&format!("{script}; true"), &two);
    let worker = yard.worker(&["--concurrency", "4"]);
    let visible = |task_id: &str| yard.log(task_id, 1).trim().to_owned();
    eventually("both have theirs", || {
        !visible(&first).is_empty() && !visible(&second).is_empty()
    });
    let mut all: Vec<String> = [visible(&first), visible(&second)]
        .iter()
        .flat_map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4, "{all:?}");
    assert!(all.iter().all(|uuid| uuid.starts_with("GPU-")), "{all:?}");
    assert_eq!(free(), 0);
    // A worker that is killed takes no lease away from a task that goes on.
    worker.killed();
    assert_eq!(free(), 0);
    let leader = yard.leader(&first, 1);
    kill(leader);
    eventually("what it had is free", || free() == 2);
    assert!(lives(yard.leader(&second, 1)));
    fs::write(yard.world.home().join("go"), "").expect("a file");
    eventually("all are free", || free() == 4);
}
