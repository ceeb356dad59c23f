//! The jars of Apache Kafka: `KAFKA_JARS` if set, else `target/kafka/lib`, filled by Maven on first use.
//!
//! What is missing fails the test with the command that installs it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const INSTALL: &str = "apt-get install openjdk-17-jdk-headless maven";

/// The class path of the jars.
pub(crate) fn class_path() -> &'static str {
    static CLASS_PATH: OnceLock<String> = OnceLock::new();
    CLASS_PATH.get_or_init(|| format!("{}/*", folder().display()))
}

fn folder() -> PathBuf {
    if let Some(given) = std::env::var_os("KAFKA_JARS") {
        return given.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/kafka/lib");
    let output = Command::new("mvn")
        .args(["-B", "-q", "-f"])
        .arg(root.join("tests/kafka/pom.xml"))
        .arg("dependency:copy-dependencies")
        .output()
        .unwrap_or_else(|error| panic!("cannot run `mvn` ({error}); install it: {INSTALL}"));
    let log = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "Maven could not fetch the jars of Apache Kafka:\n{log}");
    folder
}

/// A `java` command with the jars on its class path: `JAVA_HOME`'s if set.
pub(crate) fn java() -> Command {
    let program = std::env::var_os("JAVA_HOME")
        .map_or_else(|| PathBuf::from("java"), |home| PathBuf::from(home).join("bin/java"));
    let mut command = Command::new(program);
    command.args(["-cp", class_path()]);
    command
}

/// Says how to get a `java` that cannot be started.
pub(crate) fn no_java(error: &std::io::Error) -> ! {
    panic!("cannot run `java` ({error}); install it: {INSTALL}")
}
