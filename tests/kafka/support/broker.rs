//! One Apache Kafka broker in `KRaft` mode with a folder of its own, which a test may stop, kill and start again.

use std::fs::{self, File};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::eventually;
use super::jars::{java, no_java};

/// How often another pair of ports is tried: the broker cannot be asked for port 0.
const TRIES: usize = 5;
const STARTED: &str = "Kafka Server started";

/// A broker that runs, or may be started. Ended by its own process id when dropped.
#[derive(Debug)]
pub(crate) struct Broker {
    folder: TempDir,
    port: u16,
    controller_port: u16,
    process: Option<Child>,
}

impl Broker {
    /// A broker that runs.
    pub(crate) fn start() -> Self {
        let mut broker = Self::prepare();
        for _ in 0..TRIES {
            if broker.try_run() {
                return broker;
            }
            // Somebody took a port in between.
            broker = Self::prepare();
        }
        panic!("the broker did not start in {TRIES} tries:\n{}", broker.log());
    }

    /// A broker with a formatted folder and an address, not running yet.
    pub(crate) fn prepare() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [port, controller_port] = free_ports();
        let broker = Self { folder, port, controller_port, process: None };
        fs::write(broker.path("server.properties"), broker.properties()).expect("written");
        let id = broker.tool(&["random-uuid"]).trim().to_owned();
        broker.tool(&["format", "-t", &id, "-c", &broker.path("server.properties")]);
        broker
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts a broker that was prepared, or killed, on its former address and folder.
    pub(crate) fn run(&mut self) {
        assert!(self.try_run(), "the broker did not start:\n{}", self.log());
    }

    /// Stops it as it stands (SIGSTOP): connections stay open and nobody answers.
    pub(crate) fn suspend(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on (SIGCONT).
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Ends it at once (SIGKILL).
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("killed");
            process.wait().expect("ended");
        }
    }

    fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("the broker runs");
        kill_process(Pid::from_child(process), signal).expect("signalled");
    }

    fn try_run(&mut self) -> bool {
        let log = File::create(self.path("broker.log")).expect("a log");
        let process = java()
            .args(["-Xmx512m", "kafka.Kafka", &self.path("server.properties")])
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| no_java(&error));
        let process = self.process.insert(process);
        let mut ended = || process.try_wait().expect("asked").is_some();
        let log = format!("{}/broker.log", self.folder.path().display());
        let look = || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            (text.contains(STARTED), ended())
        };
        eventually("the broker starts", Duration::from_mins(1), look, |(up, ended)| *up || *ended);
        let up = fs::read_to_string(&log).unwrap_or_default().contains(STARTED);
        if !up {
            self.process = None;
        }
        up
    }

    fn tool(&self, arguments: &[&str]) -> String {
        let output = self
            .command("kafka.tools.StorageTool")
            .args(arguments)
            .output()
            .unwrap_or_else(|error| no_java(&error));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "StorageTool {arguments:?}: {}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    fn command(&self, class: &str) -> Command {
        let mut command = java();
        command.current_dir(self.folder.path()).arg(class);
        command
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder.path().display())
    }

    fn log(&self) -> String {
        let text = fs::read_to_string(self.path("broker.log")).unwrap_or_default();
        let last: Vec<_> = text.lines().rev().take(40).collect();
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn properties(&self) -> String {
        let Self { port, controller_port, .. } = self;
        format!(
            "process.roles=broker,controller\n\
             node.id=1\n\
             controller.quorum.voters=1@127.0.0.1:{controller_port}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
             controller.listener.names=CONTROLLER\n\
             log.dirs={}\n\
             auto.create.topics.enable=false\n\
             offsets.topic.replication.factor=1\n\
             transaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n\
             share.coordinator.state.topic.replication.factor=1\n\
             share.coordinator.state.topic.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n\
             log.segment.bytes=1048576\n\
             log.cleaner.backoff.ms=1000\n",
            self.path("data")
        )
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            use std::io::Write as _;
            // The log goes with the folder; its end is what explains a failed test.
            drop(writeln!(std::io::stderr(), "the broker's last lines:\n{}", self.log()));
        }
        self.kill();
    }
}

/// Two ports that were free a moment ago.
fn free_ports() -> [u16; 2] {
    let bound = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("bound"));
    bound.map(|listener| listener.local_addr().expect("an address").port())
}
