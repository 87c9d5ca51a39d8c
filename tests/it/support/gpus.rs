//! GPUs as a `nvidia-smi` of ours lists them, in the format of the real one (driver 550).

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use super::World;

/// The GPUs of a host.
pub(crate) struct Gpus {
    host: String,
    folder: PathBuf,
    locks: PathBuf,
}

impl Gpus {
    /// Gives a host four idle GPUs.
    pub(crate) fn furnish(world: &World, host: &str) -> Self {
        let folder = world.path(format!("gpus of {host}"));
        // Beside what else a call can change on the host.
        let locks = world.path(format!("ssh/{host}/home/gpu-locks"));
        for one in [&folder, &locks] {
            fs::create_dir_all(one).expect("a folder");
        }
        let gpus = Self {
            host: host.to_owned(),
            folder,
            locks,
        };
        gpus.list(&["GPU-a1", "GPU-b2", "GPU-c3", "GPU-d4"]);
        gpus.compute(&[]);
        gpus.answer_after("0");
        let program = gpus.folder.join("nvidia-smi");
        fs::write(
            &program,
            "#!/bin/sh\ncd \"${0%/*}\" && sleep \"$(cat pause)\"\ncase $* in\n\
             *--query-gpu=*) cat devices ;;\n*--query-compute-apps=*) cat programs ;;\n*-L*) cat list ;;\n\
             *) echo '| NVIDIA-SMI 550.90.07   Driver Version: 550.90.07   CUDA Version: 12.4 |' ;;\nesac\n",
        )
        .expect("the program");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its mode");
        gpus
    }

    /// Lists these GPUs from now on, the first as number 0.
    pub(crate) fn list(&self, uuids: &[&str]) {
        let lines: Vec<String> = uuids
            .iter()
            .enumerate()
            .map(|(index, uuid)| {
                format!("{index}, {uuid}, NVIDIA H100 80GB HBM3, 81559, 0, 81007, 0, 30, 69.67, 550.90.07\n")
            })
            .collect();
        self.write("devices", &lines.concat());
        let lines: Vec<String> = uuids
            .iter()
            .enumerate()
            .map(|(index, uuid)| format!("GPU {index}: NVIDIA H100 80GB HBM3 (UUID: {uuid})\n"))
            .collect();
        self.write("list", &lines.concat());
    }

    /// Lists one GPU that is cut into these instances from now on.
    pub(crate) fn cut(&self, instances: &[&str]) {
        // The driver tells no utilization of such a one.
        self.write(
            "devices",
            "0, GPU-m1, NVIDIA H100 80GB HBM3, 81559, 0, 81007, [N/A], 30, 69.67, 550.90.07\n",
        );
        let lines: Vec<String> = instances
            .iter()
            .enumerate()
            .map(|(index, uuid)| format!("  MIG 3g.40gb     Device  {index}: (UUID: {uuid})\n"))
            .collect();
        let whole = "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-m1)\n";
        self.write("list", &[whole, &lines.concat()].concat());
    }

    /// Lets programs compute on these GPUs from now on.
    pub(crate) fn compute(&self, uuids: &[&str]) {
        let lines: Vec<String> = uuids
            .iter()
            .map(|uuid| format!("{uuid}, 4242, /usr/bin/python3, 70000\n"))
            .collect();
        self.write("programs", &lines.concat());
    }

    /// Lets the driver take so many seconds for every answer.
    pub(crate) fn answer_after(&self, seconds: &str) {
        self.write("pause", seconds);
    }

    fn write(&self, name: &str, text: &str) {
        // Whole, because somebody may be reading.
        let draft = self.folder.join(format!(".{name}"));
        fs::write(&draft, text).expect("a file");
        fs::rename(draft, self.folder.join(name)).expect("its place");
    }

    /// Returns the settings of the host, for the configuration.
    pub(crate) fn settings(&self) -> String {
        self.settings_as(&self.host)
    }

    /// Returns the settings of the host under another name, for the configuration.
    pub(crate) fn settings_as(&self, name: &str) -> String {
        format!(
            "[hosts.{name}]\npath = ['{}']\ngpu_locks = '{}'\n",
            self.folder.display(),
            self.locks.display()
        )
    }

    /// Returns the folder of the locks.
    pub(crate) fn locks(&self) -> &PathBuf {
        &self.locks
    }
}
