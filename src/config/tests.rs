//! Promises of the config file: every mistake at once, each in its place; secrets unseen; flags and variables over the file.

use std::path::Path;

use super::*;
use crate::model::problem::Level;

/// A folder with a configuration and whatever it names.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(text: &str) -> Self {
        let folder = Self(tempfile::tempdir().expect("a temporary folder"));
        folder.file("driftgate.yaml", text);
        folder
    }

    fn file(&self, name: &str, text: &str) -> &Self {
        crate::runtime::files::write_atomic(&self.path(name), text.as_bytes()).expect("written");
        self
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn source(&self) -> Source {
        Source { file: Some(self.path("driftgate.yaml")), ..Source::default() }
    }

    fn load(&self) -> Result<Loaded, Error> {
        load(&self.source(), &|name| (name == "SET").then(|| "from-environment".to_owned()))
    }

    fn loaded(&self) -> Loaded {
        self.load().unwrap_or_else(|error| panic!("{}", error.explain()))
    }

    fn refused(&self) -> Report {
        match self.load() {
            Err(Error::Invalid(report)) => report,
            other => panic!("{other:?}"),
        }
    }
}

/// Code and `line:column` of each error.
fn found(report: &Report) -> Vec<(&'static str, String)> {
    let place = |problem: &crate::model::problem::Problem| {
        problem.position.map_or_else(|| "-".to_owned(), |at| format!("{}:{}", at.line, at.column))
    };
    let errors = report.problems().filter(|problem| problem.level == Level::Error);
    errors.map(|problem| (problem.code, place(problem))).collect()
}

const MISTAKES: &str = "\
listeners:
  - address: localhost:8080
apis:
  - name: orders
    upstrem: http://127.0.0.1:3000
  - name: Stock
    upstream: { url: http://127.0.0.1:3001, verify: no }
    baseline: { lern: {} }
  - name: users
    upstream: http://127.0.0.1:3002
    capture: everything
    listeners: [internal]
limits:
  head_timeout: 10
  connections: many
capture:
  memory: 32MB
  request_bodies: 1KiB
";

#[test]
fn seeded_mistakes_give_as_many_positioned_problems_in_one_run() {
    let report = Folder::with(MISTAKES).refused();
    let expected = [
        ("config.bad-address", "2:14"),
        ("config.unknown-key", "5:5"),
        ("config.bad-name", "6:11"),
        ("config.wrong-type", "7:53"),
        ("config.unknown-key", "8:17"),
        ("config.unknown-value", "11:14"),
        ("config.unknown-reference", "12:17"),
        ("config.wrong-type", "14:17"),
        ("config.wrong-type", "15:16"),
        ("config.bad-form", "17:11"),
        ("config.unknown-key", "18:3"),
    ];
    let expected: Vec<_> = expected.iter().map(|(code, at)| (*code, (*at).to_owned())).collect();
    assert_eq!(found(&report), expected, "{report}");
    assert_eq!(report.summary(), "11 errors");
    let text = report.to_string();
    for line in [
        "error[config.unknown-key]: `upstrem` is not a key of this section",
        "5 |     upstrem: http://127.0.0.1:3000",
        "  |     ^^^^^^^",
        "  = did you mean `upstream`?",
        "  = YAML 1.2 knows only `true` and `false`",
        "   = give the unit: `10` what? Write it like `90s`",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
}

#[test]
fn the_smallest_file_is_enough_and_paths_are_relative_to_it() {
    let folder = Folder::with("apis:\n  - {name: orders, upstream: 'http://127.0.0.1:3000'}\n");
    let loaded = folder.loaded();
    assert_eq!(loaded.config.apis, [Api::at("orders", "http://127.0.0.1:3000")]);
    assert_eq!(loaded.config.data_dir, folder.path("data"));
    assert_eq!(loaded.report.summary(), "ok: 1 API");
}

#[test]
fn a_syntax_error_has_its_place_and_ends_the_list() {
    let report = Folder::with("apis:\n  - name: [orders\nlog: {}\n").refused();
    assert_eq!(report.errors(), 1);
    assert_eq!(found(&report)[0].0, "document.syntax");
    assert_ne!(found(&report)[0].1, "-");
}

#[test]
fn variables_fill_values_of_every_kind_and_unset_ones_are_named() {
    let folder = Folder::with("deployment: ${SET}\ndata_plane: {threads: '${SET}'}\n");
    assert_eq!(found(&folder.refused()), [("config.wrong-type", "2:23".to_owned())]);
    let folder = Folder::with("deployment: ${SET}\nlimits:\n  connections: ${UNSET:-12}\n");
    let config = folder.loaded().config;
    assert_eq!((config.deployment.as_str(), config.limits.connections), ("from-environment", 12));
    let report = Folder::with("deployment: ${UNSET}\n").refused();
    assert_eq!(found(&report), [("document.unset-variable", "1:13".to_owned())]);
}

#[test]
fn secrets_come_from_files_and_variables_and_are_never_shown() {
    let text = "auth_providers:
  - {kind: bearer, name: a, token: {file: token}}
  - {kind: bearer, name: b, token: {env: SET}}
  - {kind: bearer, name: c, token: in-the-open}
";
    let folder = Folder::with(text);
    let loaded = folder.file("token", "from-file\n").loaded();
    let mut config = (*loaded.config).clone();
    let mut texts = Vec::new();
    config.secrets(&mut |at, secret| {
        let text = secret.resolved().map(|secret| secret.reveal().to_owned());
        texts.push((at.to_owned(), text.expect("resolved")));
    });
    let expected = ["from-file", "from-environment", "in-the-open"];
    for (index, (given, expected)) in texts.iter().zip(expected).enumerate() {
        assert_eq!(*given, (format!("/auth_providers/{index}/token"), expected.to_owned()));
    }
    let shown = format!("{} {:?}", loaded.effective(), loaded.config);
    assert!(!expected.iter().any(|secret| shown.contains(secret)), "{shown}");

    let folder = Folder::with(&text.replace("SET", "UNSET"));
    let report = folder.refused();
    assert_eq!(
        found(&report).iter().map(|(code, _)| *code).collect::<Vec<_>>(),
        ["config.unreadable-file", "config.unset-variable"],
    );
}

#[test]
fn flags_win_over_the_file() {
    let folder =
        Folder::with("apis:\n  - {name: orders, upstream: 'http://a'}\nlog: {level: warn}\n");
    let mut source = folder.source();
    for text in ["log.level=debug", "apis.orders.capture=heads", "limits.connections=7"] {
        source.set.push(Setting::parse(text).expect("a setting"));
    }
    let loaded = load(&source, &|_| None).expect("valid");
    assert_eq!(loaded.config.log.level, "debug");
    assert_eq!(loaded.config.apis[0].capture, crate::capture::options::Mode::Heads);
    assert_eq!(loaded.config.limits.connections, 7);
    let effective = loaded.effective();
    for (key, origin) in [("level: \"debug\"", "flag"), ("name: \"orders\"", "driftgate.yaml:2")] {
        let line = effective.lines().find(|line| line.contains(key)).expect(key);
        assert!(line.ends_with(&format!("# {origin}")), "{line}");
    }
    source.set = vec![Setting::parse("apis.stock.capture=off").expect("a setting")];
    assert!(load(&source, &|_| None).is_err());
}

#[test]
fn one_flag_is_a_configuration() {
    let api = QuickApi {
        name: "api".to_owned(),
        upstream: "http://127.0.0.1:3000".to_owned(),
        listen: Some("127.0.0.1:0".to_owned()),
    };
    let source = Source { api: Some(api), ..Source::default() };
    let loaded = load(&source, &|_| None).expect("valid");
    assert_eq!(loaded.config.apis, [Api::at("api", "http://127.0.0.1:3000")]);
    assert_eq!(loaded.config.listeners[0].address, "127.0.0.1:0");
    assert_eq!(loaded.config.data_dir, Path::new("data"));
}

#[test]
fn apis_that_cannot_be_told_apart_are_named_both() {
    let report = Folder::with(
        "apis:
  - {name: a, upstream: 'http://a', hosts: [X.example.com], path_prefix: /v1/}
  - {name: b, upstream: 'http://b', hosts: [y.example.com], path_prefix: /v1}
  - {name: c, upstream: 'http://c', hosts: [x.example.com], path_prefix: /v1}
  - {name: c, upstream: 'http://c', path_prefix: /c}
",
    )
    .refused();
    assert_eq!(
        found(&report),
        [("config.same-scope", "4:5".to_owned()), ("config.duplicate-name", "5:12".to_owned())]
    );
    let scope = report.problems().next().expect("the first");
    assert!(scope.message.contains("`c` and `a`"), "{}", scope.message);
}

#[test]
fn a_reload_that_fails_leaves_what_was_loaded() {
    let folder = Folder::with("deployment: first\n");
    let loaded = folder.loaded();
    folder.file("driftgate.yaml", "deploymant: second\n");
    assert!(loaded.reload(&|_| None).is_err());
    assert_eq!(loaded.config.deployment, "first");
}

#[test]
fn machines_read_the_same_problems() {
    let report = Folder::with("lgo: {}\n").refused();
    let line = report.print(Format::Json);
    let problem: serde_json::Value =
        serde_json::from_str(line.lines().next().expect("a line")).expect("JSON");
    assert_eq!((&problem["line"], &problem["column"]), (&1.into(), &1.into()));
    assert_eq!(problem["code"], "config.unknown-key");
    let github = report.print(Format::Github);
    assert!(github.starts_with("::error file=") && github.contains(",line=1,col=1,"), "{github}");
}

#[test]
fn a_specification_that_is_wrong_is_told_with_its_own_places() {
    let text = "apis:\n  - {name: a, upstream: 'http://a', baseline: {file: spec.yaml}}\n";
    let report = Folder::with(text).refused();
    assert_eq!(found(&report), [("config.unreadable-file", "2:54".to_owned())]);
    let folder = Folder::with(text);
    folder.file("spec.yaml", "openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths: [1]\n");
    let report = folder.refused().to_string();
    assert!(report.contains("spec.yaml:3:"), "{report}");
    folder.file("spec.yaml", "openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths: {}\n");
    assert_eq!(folder.loaded().config.apis.len(), 1);
}

#[test]
fn items_that_are_wrong_do_not_shift_the_places_of_others() {
    let report = Folder::with(
        "apis:
  - {name: a}
  - {name: b, upstream: 'http://b', hosts: ['b:80']}
  - 7
  - {name: C, upstream: 'http://c'}
",
    )
    .refused();
    let expected = [
        ("config.missing-key", "2:5"),
        ("config.bad-host", "3:45"),
        ("config.wrong-type", "4:5"),
        ("config.bad-name", "5:12"),
    ];
    assert_eq!(found(&report), expected.map(|(code, at)| (code, at.to_owned())), "{report}");
}

#[test]
fn references_to_nothing_offer_the_nearest_name() {
    let report = Folder::with(
        "apis:
  - {name: orders, upstream: 'http://a'}
auth_providers:
  - {kind: barer, name: staging, token: t}
webhooks:
  - {name: slack, url: 'https://x.example', events: [\"*\"], api: order, auth_provider: staging}
actions:
  - name: test
    api: orders
    events: [contract.drift.opened]
    managed: {contract_test: {use_event_specification: false}}
  - name: both
    events: [contract.drift.opened]
    custom: {integration: nowhere}
",
    )
    .refused();
    let found = found(&report);
    // The auth provider is wrong, but it is there: a reference to it is no second mistake.
    let codes: Vec<_> = found.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes[..2], ["config.unknown-value", "config.unknown-reference"], "{report}");
    assert_eq!(codes.len(), 4, "{report}");
    assert!(found[2].1.starts_with("11:") && found[3].1.starts_with("14:"), "{report}");
    let text = report.to_string();
    assert!(
        text.contains("did you mean `orders`?") && text.contains("did you mean `bearer`?"),
        "{text}"
    );
}
