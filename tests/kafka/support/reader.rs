//! What a Java consumer sees in a topic.

use std::path::Path;

use serde::Deserialize;

use super::jars::{java, no_java};

/// A whole topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) partitions: usize,
    pub(crate) records: Vec<Record>,
}

/// One record, as `Reader.java` prints it.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    pub(crate) partition: i32,
    /// The partition that Java's own producers would choose for the key.
    pub(crate) belongs: Option<i32>,
    pub(crate) key: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Head {
    partitions: usize,
}

impl Record {
    /// The value of a header that occurs once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key == name);
        found.next().filter(|_| found.next().is_none()).map(|(_, value)| value.as_str())
    }
}

/// Reads a topic from its beginning to its present end; of each partition in order.
pub(crate) fn read(broker: &str, topic: &str) -> Topic {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kafka/Reader.java");
    let output = java()
        .arg("-Xmx256m")
        .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        .arg(source)
        .args([broker, topic])
        .output()
        .unwrap_or_else(|error| no_java(&error));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the reader failed (it needs a JDK, not only a JRE):\n{log}");
    let mut lines = text.lines();
    let head: Head = serde_json::from_str(lines.next().unwrap_or_default()).expect("a head");
    let record =
        |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    Topic { partitions: head.partitions, records: lines.map(record).collect() }
}
