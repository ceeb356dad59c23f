//! P10: bad input gets one clear error that names the place and the remedy, and nothing is started or half-applied.

use std::net::TcpListener;
use std::path::Path;

use rustix::process::Signal;

use super::support::eventually;
use super::support::http::request;
use super::support::sidecar::{Builder, run};
use super::support::upstream::{Upstream, answer};

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path.to_string_lossy().into_owned()
}

const MISTAKES: &str = r#"
listeners:
  - { address: "nowhere:80" }
apis:
  - name: orders
    upstrem: http://127.0.0.1:3000
  - name: stock
    upstream: http://127.0.0.1:3001/path
data_dir: ./data
capture: { memory: 32 }
webhooks:
  - { name: slack, url: "ftp://example.com", events: [] }
shutdown: { drain: soon }
"#;

#[test]
fn p10_a_config_with_several_mistakes_tells_all_of_them_at_once_and_starts_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write(folder.path(), "bad.yaml", MISTAKES);
    let (code, out, errors) = run(&["check", &path]);
    let report = format!("{out}{errors}");
    assert_eq!(code, 1, "{report}");
    for (line, needle) in [(6, "upstrem"), (10, "memory"), (13, "drain")] {
        assert!(report.contains(&format!("bad.yaml:{line}:")), "line {line}:\n{report}");
        assert!(report.contains(needle), "{needle}:\n{report}");
    }
    assert!(report.contains("upstream"), "the nearest name is offered:\n{report}");
    let (code, out, errors) = run(&["run", "--config", &path]);
    assert_eq!(code, 2, "{out}{errors}");
    assert!(!folder.path().join("data").exists(), "nothing was started");
}

#[test]
fn p10_checks_of_values_are_told_together_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "listeners:\n  - { address: \"nowhere:80\" }\napis:\n  - name: stock\n    upstream: http://127.0.0.1:3001/path\n\
                webhooks:\n  - { name: slack, url: \"ftp://example.com\", events: [] }\n";
    let path = write(folder.path(), "bad.yaml", text);
    let (code, out, errors) = run(&["check", &path]);
    let report = format!("{out}{errors}");
    assert_eq!(code, 1, "{report}");
    for line in [2, 5, 7] {
        assert!(report.contains(&format!("bad.yaml:{line}:")), "line {line}:\n{report}");
    }
}

#[test]
fn p10_a_file_that_cannot_be_read_is_another_exit_code() {
    let (code, _, errors) = run(&["check", "/nowhere/driftgate.yaml"]);
    assert_eq!(code, 2);
    assert!(errors.contains("/nowhere/driftgate.yaml"), "{errors}");
}

/// Runs a configuration that cannot start; the text of its one error.
fn refused(sections: &str, files: &[(&str, &str)]) -> String {
    let builder = files
        .iter()
        .fold(Builder::bare().section(sections), |builder, (name, text)| builder.file(name, text));
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    let path = write(folder.path(), "driftgate.yaml", &builder.config());
    let (code, out, errors) = run(&["run", "--config", &path]);
    assert_eq!(code, 2, "{out}{errors}");
    errors
}

#[test]
fn p10_a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!(
        "listeners:\n  - {{ address: \"{address}\" }}\nadmin: {{ address: \"127.0.0.1:0\" }}\napis:\n  - {{ name: a, upstream: \"http://127.0.0.1:9\" }}\n"
    );
    let path = write(folder.path(), "driftgate.yaml", &text);
    let (code, out, errors) = run(&["run", "--config", &path]);
    assert_eq!(code, 2, "{out}{errors}");
    assert!(errors.contains(&address), "{errors}");
}

#[test]
fn p10_a_data_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let blocked = write(folder.path(), "blocked", "a file where a folder should be");
    let text = format!(
        "listeners:\n  - {{ address: \"127.0.0.1:0\" }}\nadmin: {{ address: \"127.0.0.1:0\" }}\napis:\n  - {{ name: a, upstream: \"http://127.0.0.1:9\" }}\n\
         data_dir: {blocked}/data\n"
    );
    let path = write(folder.path(), "driftgate.yaml", &text);
    let (code, out, errors) = run(&["run", "--config", &path]);
    assert_eq!(code, 2, "{out}{errors}");
    assert!(errors.contains("blocked"), "{errors}");
}

#[test]
fn p10_a_specification_that_does_not_parse_is_named_with_its_line() {
    let api =
        "apis:\n  - name: a\n    upstream: http://127.0.0.1:9\n    baseline: { file: spec.yaml }\n";
    let errors = refused(
        api,
        &[("spec.yaml", "openapi: 3.0.3\ninfo: { title: x, version: '1' }\npaths: [1, 2]\n")],
    );
    assert!(errors.contains("spec.yaml") && errors.contains("paths"), "{errors}");
    let errors = refused(api, &[("spec.yaml", "openapi: 3.0.3\n  info: {\n")]);
    assert!(errors.contains("spec.yaml:"), "{errors}");
    let errors = refused(api, &[]);
    assert!(errors.contains("spec.yaml"), "{errors}");
}

#[test]
fn p10_recordings_that_are_cut_empty_or_something_else_are_told_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text, code) in [
        ("empty.har", "", 2),
        ("binary.har", "\u{1}\u{2}\u{3}", 1),
        ("no-entries.har", "{\"log\":{\"entries\":[]}}", 1),
    ] {
        let path = write(folder.path(), name, text);
        let (actual, out, errors) = run(&["infer", &path]);
        assert_eq!(actual, code, "{name}: {out}{errors}");
        assert!(!errors.trim().is_empty(), "{name} is told");
    }
    let whole = super::support::har::shop(60).to_string();
    let cut: String = whole.chars().take(whole.chars().count() * 3 / 4).collect();
    let path = write(folder.path(), "cut.har", &cut);
    let (code, out, errors) = run(&["infer", &path]);
    assert_eq!(code, 0, "the complete entries are learned: {errors}");
    assert!(out.contains("/items") && errors.contains("cut"), "{errors}");
}

#[test]
fn p10_a_broker_where_nothing_listens_is_told_and_traffic_flows() {
    let upstream = Upstream::start(|_| answer(200, &[], b"fine"));
    let unused = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port");
    let sidecar = Builder::new(&upstream.url())
        .section(&format!("kafka: {{ brokers: [\"{unused}\"] }}\n"))
        .start();
    assert_eq!(request(sidecar.proxy(), "GET", "/", &[], &[]).text(), "fine");
    eventually("readiness of the control plane names the broker", || {
        let reply = request(sidecar.admin, "GET", "/readyz/control", &[], &[]);
        (reply.status() == 503 && reply.text().contains(&unused.to_string())).then_some(())
    });
    assert_eq!(
        request(sidecar.admin, "GET", "/readyz", &[], &[]).status(),
        200,
        "traffic is not pulled because a broker is away"
    );
}

#[test]
fn p10_a_bad_file_at_reload_leaves_the_old_configuration_running() {
    let upstream = Upstream::start(|_| answer(200, &[], b"old"));
    let sidecar = Builder::new(&upstream.url()).start();
    let path = sidecar.folder.path().join("driftgate.yaml");
    let good = std::fs::read_to_string(&path).expect("the file");
    std::fs::write(&path, good.replace("upstream:", "upstrem:")).expect("written");
    sidecar.signal(Signal::HUP);
    eventually("the refusal is visible", || {
        (sidecar.metric("driftgate_config_last_reload_successful") < 0.5).then_some(())
    });
    assert_eq!(request(sidecar.proxy(), "GET", "/", &[], &[]).text(), "old");

    let other = Upstream::start(|_| answer(200, &[], b"new"));
    std::fs::write(&path, good.replace(&upstream.url(), &other.url())).expect("written");
    sidecar.signal(Signal::HUP);
    eventually("the new upstream serves", || {
        (request(sidecar.proxy(), "GET", "/", &[], &[]).text() == "new").then_some(())
    });
    eventually("the success is visible", || {
        (sidecar.metric("driftgate_config_last_reload_successful") > 0.5).then_some(())
    });
}

#[test]
fn a_reload_says_what_waits_for_a_restart_and_does_so_until_then() {
    let upstream = Upstream::start(|_| answer(200, &[], b"old"));
    let sidecar = Builder::new(&upstream.url()).start();
    let path = sidecar.folder.path().join("driftgate.yaml");
    let good = std::fs::read_to_string(&path).expect("the file");
    let waiting = || sidecar.metric("driftgate_config_restart_needed");

    let wider = format!("{good}\ncapture: {{ memory: 16MiB }}\n");
    std::fs::write(&path, &wider).expect("written");
    sidecar.signal(Signal::HUP);
    eventually("one section waits", || (waiting() > 0.5).then_some(()));

    let other = Upstream::start(|_| answer(200, &[], b"new"));
    std::fs::write(&path, wider.replace(&upstream.url(), &other.url())).expect("written");
    sidecar.signal(Signal::HUP);
    eventually("the new upstream serves", || {
        (request(sidecar.proxy(), "GET", "/", &[], &[]).text() == "new").then_some(())
    });
    assert!((waiting() - 1.0).abs() < 0.5, "it still waits");

    std::fs::write(&path, good.replace(&upstream.url(), &other.url())).expect("written");
    sidecar.signal(Signal::HUP);
    eventually("nothing waits any more", || (waiting() < 0.5).then_some(()));
}
