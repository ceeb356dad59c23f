//! Reads the tree and proves its shape: imports flow one way, each outside crate has one home, every file says what it
//! owns, nothing unexpected lies at the top. Sizes are printed, worst first, for review to argue from.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use syn::spanned::Spanned as _;
use syn::visit::Visit;

/// Folder, layer, and the folders of its own layer that it may import.
const LAYERS: &[(&str, u8, &[&str])] = &[
    ("model", 0, &[]),
    ("runtime", 1, &[]),
    ("telemetry", 1, &["runtime"]),
    ("observe", 2, &[]),
    ("infer", 2, &[]),
    ("contract", 2, &[]),
    ("events", 2, &[]),
    ("capture", 3, &[]),
    ("store", 3, &[]),
    ("bus", 3, &["store"]),
    ("deliver", 3, &["store", "bus"]),
    ("pipeline", 4, &[]),
    ("webhooks", 4, &[]),
    ("actions", 4, &["webhooks"]),
    ("workflows", 4, &["actions"]),
    ("proxy", 5, &[]),
    ("admin", 5, &[]),
    ("config", 6, &[]),
    ("app", 6, &["config"]),
    ("cli", 6, &["config", "app"]),
];

/// Folders that may import fewer than their layer allows.
const NARROW: &[(&str, &[&str])] = &[
    ("proxy", &["model", "runtime", "telemetry", "capture"]),
    ("observe", &["model"]),
    ("infer", &["model"]),
    ("contract", &["model"]),
    ("events", &["model"]),
    ("model", &[]),
];

/// Crate, and the only places (path prefixes below `src`) that may name it.
const HOMES: &[(&str, &[&str])] = &[
    ("pingora", &["proxy", "app"]),
    ("axum", &["admin", "cli/demo"]),
    ("hyper", &["admin", "cli/demo", "deliver/client"]),
    ("hyper_util", &["admin", "cli/demo"]),
    ("tower", &["admin", "cli/demo"]),
    ("rdkafka", &["bus/kafka"]),
    ("rusqlite", &["store"]),
    ("reqwest", &["deliver/client"]),
    ("serde_saphyr", &["model/document"]),
    ("jsonschema", &["contract/compile", "contract/algebra"]),
    ("openapiv3", &["infer/project"]),
    ("minijinja", &["events/expression"]),
    ("flate2", &["capture/decode", "deliver/client"]),
    ("brotli", &["capture/decode"]),
    ("zstd", &["capture/decode"]),
    ("encoding_rs", &["capture"]),
    (
        "prometheus_client",
        &[
            "telemetry",
            "proxy/metrics",
            "app",
            "pipeline/metrics",
            "admin/metrics",
            "deliver/metrics",
        ],
    ),
    ("clap", &["main", "cli", "app"]),
    ("anyhow", &["main", "cli", "app"]),
    ("indicatif", &["cli"]),
    ("openssl", &["store/seal", "deliver/auth", "deliver/client"]),
    ("native_tls", &["deliver/client"]),
];

/// What the pure layer must not name.
const IMPURE: &[&str] = &[
    "tokio",
    "std::fs",
    "std::net::TcpStream",
    "std::time::Instant",
    "std::thread",
    "tracing",
    "rand",
];
const PURE: &[&str] = &["model", "observe", "infer", "contract", "events"];

const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".config",
    ".dockerignore",
    ".editorconfig",
    ".git",
    ".gitignore",
    ".rustfmt.toml",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "benches",
    "compose.yaml",
    "config",
    "src",
    "target",
    "tests",
    "data",
];

struct Source {
    /// Path below `src`, without `.rs`; `mod` files name their folder.
    place: String,
    path: PathBuf,
    text: String,
    file: syn::File,
}

impl Source {
    /// The folder that the layer table speaks of.
    fn folder(&self) -> &str {
        self.place.split('/').next().unwrap_or(&self.place)
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let base = root().join(folder);
    let mut paths = Vec::new();
    files_below(&base, &mut paths);
    paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("readable");
            let file = syn::parse_file(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let place = path
                .strip_prefix(&base)
                .expect("below")
                .with_extension("")
                .to_string_lossy()
                .into_owned();
            Source { place: place.trim_end_matches("/mod").to_owned(), path, text, file }
        })
        .collect()
}

/// Collects every path a file names, in `use` trees and inline.
#[derive(Default)]
struct Paths {
    found: BTreeSet<String>,
}

impl Paths {
    fn of(file: &syn::File) -> BTreeSet<String> {
        let mut paths = Self::default();
        paths.visit_file(file);
        paths.found
    }

    fn tree(&mut self, prefix: &str, tree: &syn::UseTree) {
        let join = |name: &syn::Ident| {
            if prefix.is_empty() { name.to_string() } else { format!("{prefix}::{name}") }
        };
        match tree {
            syn::UseTree::Path(path) => self.tree(&join(&path.ident), &path.tree),
            syn::UseTree::Name(name) => drop(self.found.insert(join(&name.ident))),
            syn::UseTree::Rename(rename) => drop(self.found.insert(join(&rename.ident))),
            syn::UseTree::Glob(_) => drop(self.found.insert(format!("{prefix}::*"))),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.tree(prefix, item));
            }
        }
    }
}

/// Whether an item is compiled for tests alone; those may name whatever they need.
fn is_test_item(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|argument| argument == "test")
    })
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test_item(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test_item(&item.attrs) {
            self.tree("", &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let text: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.found.insert(text.join("::"));
        syn::visit::visit_path(self, path);
    }

    /// What stands inside a macro is no syntax yet: paths from the root are found as text.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        for rest in call.tokens.to_string().split("crate :: ").skip(1) {
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            self.found.insert(format!("crate::{name}"));
        }
        syn::visit::visit_macro(self, call);
    }
}

fn is_test_file(source: &Source) -> bool {
    source.place.split('/').any(|part| part == "tests" || part == "support")
}

fn layer(folder: &str) -> Option<(u8, &'static [&'static str])> {
    LAYERS.iter().find(|(name, ..)| *name == folder).map(|(_, layer, beside)| (*layer, *beside))
}

/// Why a folder may not import another, if it may not.
fn refuse_import(from: &str, to: &str) -> Option<String> {
    if from == to {
        return None;
    }
    let (from_layer, beside) = layer(from)?;
    let (to_layer, _) = layer(to)?;
    if let Some((_, allowed)) = NARROW.iter().find(|(name, _)| *name == from) {
        return (!allowed.contains(&to)).then(|| format!("`{from}` may import {allowed:?} alone"));
    }
    let down = to_layer < from_layer || beside.contains(&to);
    (!down).then(|| format!("`{from}` (L{from_layer}) may not import `{to}` (L{to_layer})"))
}

/// The folder of `src` that a path in the file at `place` names from the crate's root, also by as many `super` as lead there.
fn folder_named<'a>(place: &str, path: &'a str) -> Option<&'a str> {
    let depth = place.split('/').count();
    let parts: Vec<&str> = path.split("::").collect();
    let up = parts.iter().take_while(|part| **part == "super").count();
    match parts.first() {
        Some(&"crate") => parts.get(1).copied(),
        Some(&"super") if up == depth => parts.get(up).copied(),
        _ => None,
    }
}

#[test]
fn imports_flow_down() {
    let mut wrong = Vec::new();
    for source in sources("src")
        .iter()
        .filter(|source| !is_test_file(source) && source.place != "lib" && source.place != "main")
    {
        for path in Paths::of(&source.file) {
            let to = folder_named(&source.place, &path);
            if let Some(reason) = to.and_then(|to| refuse_import(source.folder(), to)) {
                wrong.push(format!("{}: `{path}`: {reason}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that flow up:\n{}", wrong.join("\n"));
}

#[test]
fn an_upward_import_by_inline_path_would_be_found() {
    let file = syn::parse_str("fn f() { crate::admin::serve(); told!(crate::cli::say(1)); }");
    let paths = Paths::of(&file.expect("parses"));
    assert!(paths.contains("crate::admin::serve") && paths.contains("crate::cli"), "{paths:?}");
    assert_eq!(folder_named("store/outbox", "crate::admin::serve"), Some("admin"));
    assert_eq!(folder_named("store/outbox", "super::super::admin"), Some("admin"));
    assert_eq!(folder_named("store", "super::admin"), Some("admin"));
    assert_eq!(folder_named("store/outbox", "super::admin"), None);
    assert!(refuse_import("store", "admin").is_some());
    assert!(refuse_import("store", "bus").is_some() && refuse_import("bus", "store").is_none());
    assert!(refuse_import("proxy", "store").is_some(), "the proxy is narrower than its layer");
}

#[test]
fn every_folder_of_src_has_a_layer() {
    let unknown: BTreeSet<String> = sources("src")
        .iter()
        .map(|source| source.folder().to_owned())
        .filter(|folder| !["lib", "main"].contains(&folder.as_str()) && layer(folder).is_none())
        .collect();
    assert!(unknown.is_empty(), "folders without a layer: {unknown:?}");
}

#[test]
fn outside_crates_stay_at_home() {
    let mut wrong = Vec::new();
    for source in sources("src").iter().filter(|source| !is_test_file(source)) {
        for path in Paths::of(&source.file) {
            let name = path.split("::").next().unwrap_or_default();
            let family = if name.starts_with("pingora") { "pingora" } else { name };
            let Some((_, homes)) = HOMES.iter().find(|(home, _)| *home == family) else { continue };
            if !homes
                .iter()
                .any(|home| source.place == *home || source.place.starts_with(&format!("{home}/")))
            {
                wrong.push(format!("{}: `{path}` belongs to {homes:?}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "crates outside their home:\n{}", wrong.join("\n"));
}

#[test]
fn the_pure_folders_are_pure() {
    let mut wrong = Vec::new();
    for source in sources("src")
        .iter()
        .filter(|source| PURE.contains(&source.folder()) && !is_test_file(source))
    {
        for path in Paths::of(&source.file) {
            if IMPURE
                .iter()
                .any(|impure| path == *impure || path.starts_with(&format!("{impure}::")))
            {
                wrong.push(format!("{}: `{path}`", source.path.display()));
            }
        }
        if source
            .text
            .lines()
            .any(|line| line.contains(".await") && !line.trim_start().starts_with("//"))
        {
            wrong.push(format!("{}: awaits", source.path.display()));
        }
    }
    assert!(wrong.is_empty(), "the pure folders name what is not pure:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_owns() {
    let mut wrong = Vec::new();
    for folder in ["src", "tests", "benches"] {
        for source in sources(folder) {
            let header = source.text.lines().take_while(|line| line.starts_with("//!")).count();
            if !(1..=16).contains(&header) {
                wrong.push(format!("{}: {header} header lines", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "headers have 1 to 16 lines of `//!`:\n{}", wrong.join("\n"));
}

#[test]
fn nothing_unexpected_lies_at_the_top() {
    let unknown: Vec<String> = fs::read_dir(root())
        .expect("the root")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !TOP.contains(&name.as_str()))
        .collect();
    assert!(unknown.is_empty(), "not in the list of house rules: {unknown:?}");
}

#[test]
fn the_makefile_names_the_targets_that_cargo_leaves_out() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let makefile = fs::read_to_string(root().join("Makefile")).expect("Makefile");
    {
        let target = "kafka";
        assert!(manifest.contains(&format!("name = \"{target}\"")), "no test target `{target}`");
        assert!(
            makefile.contains(&format!("--test {target}")),
            "the Makefile does not run `{target}`"
        );
    }
}

/// Length of every function, for the printed sizes.
struct Functions(Vec<(usize, String)>);

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.0.push((lines_of(item.span()), item.sig.ident.to_string()));
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.0.push((lines_of(item.span()), item.sig.ident.to_string()));
        syn::visit::visit_impl_item_fn(self, item);
    }
}

fn lines_of(span: proc_macro2::Span) -> usize {
    span.end().line + 1 - span.start().line
}

fn percentile(sorted: &[(usize, String)], percent: usize) -> usize {
    sorted.get(sorted.len() * percent / 100).or(sorted.last()).map_or(0, |(size, _)| *size)
}

fn print_sizes(what: &str, mut sizes: Vec<(usize, String)>) {
    sizes.sort();
    let [p50, p90, p99] = [50, 90, 99].map(|percent| percentile(&sizes, percent));
    println!("{what}: {} in all, lines p50 {p50}, p90 {p90}, p99 {p99}; longest:", sizes.len());
    for (size, name) in sizes.iter().rev().take(10) {
        println!("  {size:4} {name}");
    }
}

#[test]
fn sizes_are_printed() {
    let all: Vec<Source> =
        ["src", "tests", "benches"].iter().flat_map(|folder| sources(folder)).collect();
    let files = all
        .iter()
        .map(|source| (source.text.lines().count(), source.path.display().to_string()))
        .collect();
    let functions = all.iter().flat_map(|source| {
        let mut functions = Functions(Vec::new());
        functions.visit_file(&source.file);
        functions
            .0
            .into_iter()
            .map(|(size, name)| (size, format!("{name} in {}", source.path.display())))
    });
    print_sizes("files", files);
    print_sizes("functions", functions.collect());
    assert!(!all.is_empty());
}
