//! The processes that are compared, each started once and measured in turn.
//!
//! Owns their configuration. The arms with driftgate run the real binary, with every exchange held to a specification.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::measure::Sample;
use super::traffic;

/// How long a process may take to say where it listens, and analysis to look at what is left.
const PATIENCE: Duration = Duration::from_secs(30);

/// What stands between client and API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Arm {
    Direct,
    /// A: pingora with `upstream_peer` alone.
    Bare,
    /// B: driftgate that captures nothing.
    Off,
    /// C: driftgate that looks at everything.
    On,
    /// D: driftgate whose analysis stands still.
    Stopped,
    Nginx,
}

impl Arm {
    pub(crate) const ALL: [Self; 6] =
        [Self::Direct, Self::Bare, Self::Off, Self::On, Self::Stopped, Self::Nginx];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Bare => "A bare pingora",
            Self::Off => "B tap off",
            Self::On => "C all on",
            Self::Stopped => "D analysis stopped",
            Self::Nginx => "nginx",
        }
    }
}

/// A running arm.
pub(crate) struct Running {
    pub(crate) arm: Arm,
    pub(crate) address: SocketAddr,
    admin: Option<SocketAddr>,
    child: Option<Child>,
    _folder: Option<tempfile::TempDir>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself, which the errors of its last round tell.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Tells the parent where a role listens.
pub(crate) fn announce(address: SocketAddr) {
    println!("listening {address}");
    std::io::stdout().flush().expect("told");
}

/// The API.
pub(crate) fn origin() -> Running {
    let (child, address) = role(&["origin"]);
    Running { arm: Arm::Direct, address, admin: None, child: Some(child), _folder: None }
}

/// Starts an arm in front of the API; none when it is not installed here.
pub(crate) fn start(arm: Arm, origin: SocketAddr) -> Option<Running> {
    match arm {
        Arm::Direct => {
            Some(Running { arm, address: origin, admin: None, child: None, _folder: None })
        }
        Arm::Bare => {
            let (child, address) = role(&["bare", &origin.to_string()]);
            wait_for(address);
            Some(Running { arm, address, admin: None, child: Some(child), _folder: None })
        }
        Arm::Off | Arm::On | Arm::Stopped => Some(driftgate(arm, origin)),
        Arm::Nginx => nginx(origin),
    }
}

fn role(arguments: &[&str]) -> (Child, SocketAddr) {
    let own = std::env::current_exe().expect("our own path");
    let mut child =
        Command::new(own).args(arguments).stdout(Stdio::piped()).spawn().expect("started");
    let mut line = String::new();
    let stdout = child.stdout.as_mut().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let address = line.trim().strip_prefix("listening ").and_then(|text| text.parse().ok());
    (child, address.expect("an address"))
}

fn driftgate(arm: Arm, origin: SocketAddr) -> Running {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    file("shop.json", &traffic::specification());
    let config = file("driftgate.yaml", &config(arm, origin));
    let mut child = Command::new(env!("CARGO_BIN_EXE_driftgate"))
        .args(["run", "--config"])
        .arg(config)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("driftgate starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let (mut proxy, mut admin) = (None, None);
    for line in lines.map_while(Result::ok) {
        proxy = proxy.or_else(|| printed(&line, "proxy"));
        admin = admin.or_else(|| printed(&line, "admin"));
        if proxy.is_some() && admin.is_some() {
            break;
        }
    }
    let address = proxy.expect("driftgate says where it listens");
    Running { arm, address, admin, child: Some(child), _folder: Some(folder) }
}

fn printed(line: &str, word: &str) -> Option<SocketAddr> {
    let rest = line.strip_prefix(word)?.trim().strip_prefix("http://")?;
    rest.split([' ', '/']).next()?.parse().ok()
}

fn config(arm: Arm, origin: SocketAddr) -> String {
    let capture = if arm == Arm::Off { "\"off\"" } else { "all" };
    let mut yaml = format!(
        "listeners:\n  - {{ address: \"127.0.0.1:0\", name: bench }}\n\
         admin: {{ address: \"127.0.0.1:0\" }}\ndata_dir: ./data\n\
         apis:\n  - {{ name: shop, upstream: \"http://{origin}\", capture: {capture}, baseline: {{ file: shop.json }} }}\n"
    );
    if arm == Arm::Stopped {
        writeln!(yaml, "analysis: {{ paused: true }}").expect("written to memory");
    }
    yaml
}

fn nginx(origin: SocketAddr) -> Option<Running> {
    Command::new("nginx").arg("-v").stderr(Stdio::null()).status().ok()?;
    let folder = tempfile::tempdir().expect("a folder");
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr());
    let address = free.expect("a free port");
    let path = folder.path().join("nginx.conf");
    std::fs::write(&path, nginx_config(folder.path(), address, origin)).expect("written");
    let mut command = Command::new("nginx");
    command.arg("-c").arg(&path).args(["-e", "stderr"]).stderr(Stdio::null());
    let child = command.spawn().ok()?;
    wait_for(address);
    Some(Running {
        arm: Arm::Nginx,
        address,
        admin: None,
        child: Some(child),
        _folder: Some(folder),
    })
}

fn nginx_config(folder: &Path, address: SocketAddr, origin: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "daemon off; master_process off; pid {folder}/pid; events {{ worker_connections 1024; }}\n\
         http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n\
         fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n\
         keepalive_requests 1000000000; upstream api {{ server {origin}; keepalive 64; keepalive_requests 1000000000; }}\n\
         server {{ listen {address}; location / {{ proxy_pass http://api; proxy_http_version 1.1;\n\
         proxy_set_header Connection \"\"; }} }} }}\n"
    )
}

fn wait_for(address: SocketAddr) {
    let until = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < until, "nobody listens at {address}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Running {
    /// Time on a processor so far; nothing when there is no process in between.
    pub(crate) fn sample(&self) -> Sample {
        self.child.as_ref().map_or_else(Sample::default, |child| Sample::of(child.id()))
    }

    /// Waits until everything that was captured has been looked at.
    pub(crate) fn settle(&self) {
        let until = Instant::now() + PATIENCE;
        while self.arm == Arm::On && Instant::now() < until {
            if self.metric("driftgate_tap_queue_length") == 0.0
                && self.metric("driftgate_tap_bytes_in_flight") == 0.0
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Captures that were given up, and bodies that were shed.
    pub(crate) fn lost(&self) -> f64 {
        self.metric("driftgate_tap_dropped_total")
            + self.metric("driftgate_tap_bodies_total{state=\"dropped\"}")
    }

    /// The sum over all lines of the metrics that begin so.
    fn metric(&self, name: &str) -> f64 {
        let Some(text) = self.admin.and_then(scrape) else { return 0.0 };
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }
}

fn scrape(admin: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(admin).ok()?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}
