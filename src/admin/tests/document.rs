//! The OpenAPI document of the admin API, the codes, and that no answer shows a secret or the host.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fakes::SECRET;
use super::*;

fn document(server: &Server) -> Value {
    server.wire().call("GET", "/v1/openapi.json", &[], b"").json()
}

/// Every object in a document with its pointer.
fn visit(value: &Value, see: &mut impl FnMut(&Value)) {
    see(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        Value::Object(members) => members.values().for_each(|member| visit(member, see)),
        _ => {}
    }
}

#[test]
fn the_document_lists_every_route_once_and_its_references_resolve() {
    let server = Server::start();
    let document = document(&server);
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            operations += 1;
            assert!(ids.insert(operation["operationId"].clone().to_string()), "{method} {path}");
            let parameters = operation["parameters"].as_array().expect("parameters");
            for name in path.split('/').filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'))
            {
                let is_it =
                    |parameter: &&Value| parameter["name"] == name && parameter["in"] == "path";
                assert_eq!(parameters.iter().filter(is_it).count(), 1, "{path}");
            }
            assert!(operation["responses"]["default"].is_object());
            let changes = matches!(method.as_str(), "post" | "put");
            assert_eq!(operation.get("requestBody").is_some(), changes, "{method} {path}");
        }
    }
    assert_eq!(operations, super::super::routes::count());
    visit(&document, &mut |value| {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return };
        let pointer = reference.strip_prefix('#').expect("a local reference");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    });
    let state = document["paths"]["/v1/findings"]["get"]["parameters"]
        .as_array()
        .and_then(|all| all.iter().find(|parameter| parameter["name"] == "state"))
        .expect("the parameter");
    assert_eq!(state["schema"]["type"], "array", "{state}");
}

/// The routes of the document answer what it says: a status that is listed, JSON with the members that it requires.
#[test]
fn every_get_without_parameters_answers_as_documented() {
    let server = Server::start();
    server.publish(vec![event(1)]);
    let document = document(&server);
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        if path.contains('{') || item.get("get").is_none() {
            continue;
        }
        let reply = server.get(path);
        let answer = &item["get"]["responses"][reply.status.to_string()];
        assert!(answer.is_object(), "{path}: {}", reply.status);
        let media = reply.header("content-type").and_then(|it| it.split(';').next()).expect(path);
        assert!(answer["content"].get(media).is_some(), "{path}: {media}");
        if let Some(schema) = answer["content"][media]["schema"]["$ref"].as_str() {
            let schema = document.pointer(schema.trim_start_matches('#')).expect("resolved");
            for name in schema["required"].as_array().into_iter().flatten() {
                let name = name.as_str().expect("a name");
                assert!(reply.json().get(name).is_some(), "{path} lacks `{name}`");
            }
        }
        asked += 1;
    }
    assert!(asked >= 15, "{asked}");
}

#[test]
fn every_code_of_the_table_is_explained_and_every_documented_code_is_in_it() {
    let server = Server::start();
    let known: BTreeSet<String> = server
        .wire()
        .call("GET", "/v1/problems", &[], b"")
        .json()
        .as_array()
        .expect("a list")
        .iter()
        .map(|code| code["code"].as_str().expect("a code").to_owned())
        .collect();
    for code in &known {
        let explained = server.wire().call("GET", &format!("/v1/problems/{code}"), &[], b"").json();
        assert!(explained["text"].as_str().is_some_and(|text| text.len() > 20), "{code}");
        let is_shaped = code.split_once('.').is_some_and(|(area, rest)| {
            let is_kebab = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            is_kebab(area) && is_kebab(rest)
        });
        assert!(is_shaped, "{code}");
    }
    visit(&document(&server), &mut |value| {
        for code in value.get("x-driftgate-codes").and_then(Value::as_array).into_iter().flatten() {
            assert!(known.contains(code.as_str().expect("a code")), "{code}");
        }
    });
}

#[test]
fn no_answer_shows_a_secret_or_a_place_of_the_host() {
    let server = Server::start();
    server.publish(vec![event(1)]);
    let key = files::read(&server.folder.path().join("keys/cursor.key"), 64).expect("the key");
    let folder = server.folder.path().to_string_lossy().into_owned();
    let hexadecimal = crate::model::hash::hexadecimal(&key);
    let hidden = [SECRET, &server.token, VIEWER, INTAKE, &folder, &hexadecimal, "SELECT", "sqlite"];
    let mut paths: Vec<String> = document(&server)["paths"]
        .as_object()
        .expect("paths")
        .keys()
        .map(|path| path.replace("{api}", "orders").replace("{id}", "slack"))
        .collect();
    paths.extend(
        ["/v1/findings/'", "/v1/events/%00", "/v1/events?q=%27&type=%27", "/v1/deliveries/'--"]
            .map(str::to_owned),
    );
    for path in paths {
        for method in ["GET", "POST"] {
            let reply = server.call(method, &path, None);
            for secret in hidden {
                assert!(!reply.body.contains(secret), "{method} {path} shows {secret}");
                assert!(!reply.head.contains(&secret.to_lowercase()), "{method} {path}: {secret}");
            }
        }
    }
}

#[test]
fn a_part_that_fails_is_told_by_trace_id_alone() {
    let server = Server::start();
    server.runtime.block_on(server.store.close());
    let reply = server.get("/v1/events");
    assert_eq!((reply.status, reply.code().as_str()), (503, "store.unavailable"));
}
