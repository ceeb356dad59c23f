//! The `OpenAPI` 3.1 document of the admin API, made from the table of routes and the schemas of the wire types.
//!
//! Owns the shape of the document. Refuses to own any fact in it: a route that changes changes the document.

use axum::http::StatusCode;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::super::code;
use super::super::dto::Nothing;
use super::super::problem::Refusal;
use super::call::Call;
use super::route::{Access, Answer, Output, Reply, Route, response};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/openapi.json", "openapi", "This API as OpenAPI 3.1", show)
            .access(Access::Open),
    ]
}

struct Text(String);

impl Answer for Text {
    fn output() -> Output {
        Output { status: 200, media: &["application/json"], schema: None }
    }

    fn respond(self) -> Reply {
        Ok(response(StatusCode::OK, "application/json", self.0))
    }
}

async fn show(_: Call, _: Nothing) -> Result<Text, Refusal> {
    Ok(Text(document(&super::table()).to_string()))
}

/// The whole document.
pub(super) fn document(table: &[Route]) -> Value {
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for route in table {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] = operation(route, &mut generator);
    }
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Problem".to_owned(), problem_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "driftgate admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Reads and steers one running driftgate. Errors are problem details (RFC 9457)."
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "responses": { "Problem": {
                "description": "Refused; `code` says why",
                "content": { "application/problem+json": {
                    "schema": { "$ref": "#/components/schemas/Problem" }
                } }
            } }
        }
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "tags": [tag(route.path)],
        "parameters": parameters(route, generator),
        "responses": responses(route, generator),
    });
    if let Some(describe) = route.body {
        let schema = describe(generator);
        let content: Map<String, Value> = route
            .takes
            .iter()
            .map(|media| ((*media).to_owned(), json!({ "schema": schema })))
            .collect();
        operation["requestBody"] = json!({ "content": content });
    }
    let scope = match route.access {
        Access::Probe | Access::Open | Access::Metrics => None,
        Access::Viewer => Some("viewer"),
        Access::Intake => Some("intake"),
        Access::Admin => Some("admin"),
    };
    operation["security"] = scope.map_or_else(|| json!([]), |_| json!([{ "token": [] }]));
    if let Some(scope) = scope {
        operation["x-driftgate-scope"] = Value::from(scope);
    }
    if !route.codes.is_empty() {
        operation["x-driftgate-codes"] = json!(route.codes);
    }
    operation
}

fn tag(path: &str) -> &str {
    let steps = path.trim_start_matches('/').trim_start_matches("v1/");
    steps.split(['/', '.']).next().unwrap_or("process")
}

/// Path parameters, then the members of the query type.
fn parameters(route: &Route, generator: &mut SchemaGenerator) -> Vec<Value> {
    let named = route.path.split('/').filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = named
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let Some(describe) = route.query else { return parameters };
    let described = describe(generator).to_value();
    let members = resolve(&described, generator).get("properties").cloned().unwrap_or_default();
    for (name, schema) in members.as_object().into_iter().flatten() {
        let mut schema = schema.clone();
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let mut parameter = json!({ "name": name, "in": "query", "schema": schema });
        if let Some(description) = description {
            parameter["description"] = description;
        }
        parameters.push(parameter);
    }
    parameters
}

/// The definition that a `$ref` names, or the schema itself.
fn resolve<'a>(schema: &'a Value, generator: &'a SchemaGenerator) -> &'a Value {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.rsplit('/').next())
        .and_then(|name| generator.definitions().get(name))
        .unwrap_or(schema)
}

fn responses(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let content: Map<String, Value> = route
        .output
        .media
        .iter()
        .map(|media| {
            let schema = route.output.schema.map(|describe| describe(generator));
            let content = schema.map_or_else(|| json!({}), |schema| json!({ "schema": schema }));
            ((*media).to_owned(), content)
        })
        .collect();
    let mut responses = Map::new();
    responses.insert(
        route.output.status.to_string(),
        json!({ "description": route.summary, "content": content }),
    );
    if route.access == Access::Probe {
        let content = json!({ "text/plain": {} });
        responses.insert("503".to_owned(), json!({ "description": "No", "content": content }));
    }
    let problem = json!({ "$ref": "#/components/responses/Problem" });
    for code in route.codes.iter().filter_map(|name| code::find(name)) {
        responses.insert(code.status.to_string(), problem.clone());
    }
    responses.insert("default".to_owned(), problem);
    Value::Object(responses)
}

fn problem_schema() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "description": "Why a call was refused (RFC 9457)",
        "required": ["type", "title", "status", "detail", "code", "trace_id"],
        "properties": {
            "type": { "type": "string", "description": "Where the code is explained" },
            "title": text,
            "status": { "type": "integer" },
            "detail": text,
            "code": { "type": "string", "pattern": "^[a-z]+\\.[a-z-]+$" },
            "trace_id": { "type": "string", "pattern": "^[0-9a-f]{32}$" },
            "problems": { "type": "array", "items": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "pointer": text, "parameter": text, "code": text, "message": text, "remedy": text
                }
            } },
            "allowed": { "type": "array", "items": text },
            "retry_after": { "type": "integer", "description": "Seconds" }
        }
    })
}
