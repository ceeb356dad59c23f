//! The real program as a child process, with a configuration and a folder of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::eventually;
use super::http::{self, Message};

/// What to run.
pub(crate) struct Builder {
    folder: Arc<TempDir>,
    listeners: usize,
    sections: String,
}

/// The running program. Killed when dropped.
pub(crate) struct Sidecar {
    pub folder: Arc<TempDir>,
    pub proxies: Vec<SocketAddr>,
    pub admin: SocketAddr,
    child: Child,
    log: Arc<Mutex<String>>,
    token: String,
}

impl Builder {
    /// One listener and one API named `api` in front of `upstream`.
    pub(crate) fn new(upstream: &str) -> Self {
        Self::bare().section(&format!("apis:\n  - name: api\n    upstream: {upstream}\n"))
    }

    /// One listener and no API.
    pub(crate) fn bare() -> Self {
        Self {
            folder: Arc::new(tempfile::tempdir().expect("a folder")),
            listeners: 1,
            sections: String::new(),
        }
    }

    /// Continues in the folder of an earlier run, as a restart does.
    pub(crate) fn in_folder(mut self, folder: &Arc<TempDir>) -> Self {
        self.folder = Arc::clone(folder);
        self
    }

    /// Adds YAML at the top level.
    pub(crate) fn section(mut self, yaml: &str) -> Self {
        self.sections.push_str(yaml);
        if !yaml.ends_with('\n') {
            self.sections.push('\n');
        }
        self
    }

    /// Puts a file beside the configuration.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.folder.path().join(name), text).expect("written");
        self
    }

    pub(crate) fn config(&self) -> String {
        let mut yaml = String::from("listeners:\n");
        for index in 0..self.listeners {
            yaml.push_str(&format!("  - {{ address: \"127.0.0.1:0\", name: l{index} }}\n"));
        }
        yaml.push_str("admin: { address: \"127.0.0.1:0\" }\ndata_dir: ./data\nshutdown: { pre_stop: 0s, drain: 10s }\n");
        yaml.push_str(&self.sections);
        yaml
    }

    /// Starts the program and waits until it says where it listens.
    pub(crate) fn start(self) -> Sidecar {
        let config = self.folder.path().join("driftgate.yaml");
        std::fs::write(&config, self.config()).expect("written");
        let mut child = command(&["run", "--config"], &config)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = Arc::new(Mutex::new(String::new()));
        collect(child.stderr.take().expect("piped"), &log);
        collect(child.stdout.take().expect("piped"), &log);
        let mut sidecar = Sidecar {
            folder: self.folder,
            proxies: Vec::new(),
            admin: ([127, 0, 0, 1], 0).into(),
            child,
            log,
            token: String::new(),
        };
        sidecar.read_addresses();
        sidecar
    }
}

/// The program with arguments and a configuration path, its log in plain text.
pub(crate) fn command(arguments: &[&str], config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_driftgate"));
    command.args(arguments).arg(config).stdin(Stdio::null());
    command
}

fn collect(stream: impl std::io::Read + Send + 'static, log: &Arc<Mutex<String>>) {
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut log = log.lock().expect("not poisoned");
            log.push_str(&line);
            log.push('\n');
        }
    });
}

impl Sidecar {
    fn read_addresses(&mut self) {
        let log = Arc::clone(&self.log);
        let child = &mut self.child;
        let (proxies, admin) = eventually("the program prints its addresses", || {
            if let Some(status) = child.try_wait().expect("asked") {
                panic!("ended with {status}:\n{}", log.lock().expect("not poisoned"));
            }
            let log = log.lock().expect("not poisoned");
            let addresses = |word: &str| -> Vec<SocketAddr> {
                log.lines()
                    .filter_map(|line| line.strip_prefix(word))
                    .filter_map(|rest| {
                        rest.trim().strip_prefix("http://")?.split([' ', '/']).next()?.parse().ok()
                    })
                    .collect()
            };
            Some((addresses("proxy"), addresses("admin").first().copied()?))
        });
        self.proxies = proxies;
        self.admin = admin;
        let token = self.folder.path().join("data/admin-token");
        let text = eventually("the token is there", || std::fs::read_to_string(&token).ok());
        text.trim().clone_into(&mut self.token);
    }

    /// The first listener.
    pub(crate) fn proxy(&self) -> SocketAddr {
        self.proxies[0]
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// A call of the admin API as its owner.
    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Message {
        let bearer = format!("Bearer {}", self.token);
        let mut fields = vec![("authorization", bearer.as_str())];
        let body = body.map(ToString::to_string).unwrap_or_default();
        if !body.is_empty() {
            fields.push(("content-type", "application/json"));
        }
        http::request(self.admin, method, path, &fields, body.as_bytes())
    }

    /// The JSON of a GET that must succeed.
    pub(crate) fn get(&self, path: &str) -> serde_json::Value {
        let answer = self.call("GET", path, None);
        assert_eq!(answer.status(), 200, "GET {path}: {}\n{}", answer.text(), self.log());
        answer.json()
    }

    /// The value of a metric, summed over its labels; 0 when it is absent.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = http::request(self.admin, "GET", "/metrics", &[], &[]).text();
        text.lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("sent");
    }

    /// Ends the program at once, as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("waited");
    }

    /// Asks the program to stop and waits for its end.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Waits for the end of a program that was told to stop.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually("the program ends", || child.try_wait().expect("asked"))
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            println!("--- log of the program ---\n{}", self.log());
        }
    }
}

/// Runs the program to its end: exit code, standard output, standard error.
pub(crate) fn run(arguments: &[&str]) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_driftgate"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let (mut out, mut error) = (String::new(), String::new());
    // Standard error is read on a thread of its own: a full pipe must not block the child.
    let mut stderr = child.stderr.take().expect("piped");
    let reader = std::thread::spawn(move || {
        stderr.read_to_string(&mut error).expect("UTF-8");
        error
    });
    child.stdout.take().expect("piped").read_to_string(&mut out).expect("UTF-8");
    let status = child.wait().expect("waited");
    (status.code().unwrap_or(-1), out, reader.join().expect("read"))
}
