//! APIs: operations, documents, revisions, baselines.
//!
//! Owns entity tags and file names of documents. Refuses to own what is learned and held (`source::Inventory`).

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::super::dto::{
    Api, Baseline, Dialect, Document, Format, FreezeOrder, Frozen, HoldOrder, List, Nothing,
    Operation, PromoteOrder, Promoted, Revision, SpecificationQuery, Uploaded,
};
use super::super::problem::Refusal;
use super::call::Call;
use super::route::{Access, Answer, Json, Output, Reply, Route, response};
use crate::model::problem::nearest;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/apis", "list_apis", "All APIs", list),
        Route::get("/v1/apis/{api}", "show_api", "One API", show).codes(&["api.not-found"]),
        Route::get("/v1/apis/{api}/operations", "list_operations", "Its operations", operations)
            .codes(&["api.not-found"]),
        Route::get("/v1/apis/{api}/spec", "export_spec", "A document of it", specification)
            .codes(&["api.not-found", "spec.nothing-learned", "spec.no-such-revision"]),
        Route::get("/v1/apis/{api}/revisions", "list_revisions", "Its revisions", revisions)
            .codes(&["api.not-found"]),
        Route::get("/v1/apis/{api}/baseline", "show_baseline", "What it is held to", baseline)
            .codes(&["api.not-found"]),
        Route::raw("/v1/apis/{api}/revisions", "upload_revision", "Keep a document of it", upload)
            .access(Access::Admin)
            .takes(&["application/yaml", "application/json"])
            .codes(&["api.not-found", "spec.invalid"]),
        Route::post("/v1/apis/{api}/baseline", "hold_revision", "Hold it to a kept revision", hold)
            .by(Method::PUT)
            .codes(&["api.not-found", "spec.no-such-revision"]),
        Route::post(
            "/v1/apis/{api}/baseline/freeze",
            "freeze_baseline",
            "Hold it to what was learned",
            freeze,
        )
        .codes(&["api.not-found", "baseline.not-ready"]),
        Route::post(
            "/v1/apis/{api}/baseline/promote",
            "promote_findings",
            "Make suggested patches part of what it is held to",
            promote,
        )
        .codes(&[
            "api.not-found",
            "finding.not-found",
            "baseline.changed",
            "baseline.patch-refused",
            "spec.no-such-revision",
        ]),
    ]
}

async fn list(call: Call, _: Nothing) -> Result<Json<List<Api>>, Refusal> {
    let apis = call.state.inventory.apis().await;
    Ok(call.whole(apis))
}

async fn show(call: Call, _: Nothing) -> Result<Json<Api>, Refusal> {
    find(&call).await.map(Json)
}

async fn operations(call: Call, _: Nothing) -> Result<Json<List<Operation>>, Refusal> {
    let api = find(&call).await?;
    let operations = call.state.inventory.operations(&api.name).await?;
    Ok(call.whole(operations))
}

async fn revisions(call: Call, _: Nothing) -> Result<Json<List<Revision>>, Refusal> {
    let api = find(&call).await?;
    let revisions = call.state.inventory.revisions(&api.name).await?;
    Ok(call.whole(revisions))
}

async fn baseline(call: Call, _: Nothing) -> Result<Json<Baseline>, Refusal> {
    let api = find(&call).await?;
    call.state.inventory.baseline(&api.name).await.map(Json)
}

async fn freeze(call: Call, order: FreezeOrder) -> Result<Json<Frozen>, Refusal> {
    let api = find(&call).await?;
    let frozen = call.state.inventory.freeze(&api.name, &order, call.actor()).await?;
    call.tell_change("baseline.freeze", &api.name);
    Ok(Json(frozen))
}

async fn promote(call: Call, mut order: PromoteOrder) -> Result<Json<Promoted>, Refusal> {
    let api = find(&call).await?;
    if order.findings.is_empty() {
        let detail = "name at least one finding in `findings`";
        return Err(Refusal::unprocessable("request.invalid", detail));
    }
    for finding in &mut order.findings {
        finding.id = super::findings::of(&call, finding.id.clone()).await?.fingerprint;
    }
    let promoted = call.state.inventory.promote(&api.name, &order, call.actor()).await?;
    call.tell_change("baseline.promote", &api.name);
    Ok(Json(promoted))
}

async fn hold(call: Call, order: HoldOrder) -> Result<Json<Baseline>, Refusal> {
    let api = find(&call).await?;
    let baseline = call.state.inventory.hold(&api.name, &order, call.actor()).await?;
    call.tell_change("baseline.hold", &api.name);
    Ok(Json(baseline))
}

async fn upload(call: Call, body: Body) -> Result<Json<Uploaded>, Refusal> {
    let api = find(&call).await?;
    let bytes = call.bytes(body).await?;
    let text = String::from_utf8(bytes.to_vec())
        .map_err(|_| Refusal::malformed("request.bad-body", "the document is not UTF-8"))?;
    let uploaded = call.state.inventory.upload(&api.name, text, call.actor()).await?;
    call.tell_change("revision.upload", &uploaded.revision);
    Ok(Json(uploaded))
}

/// The API that the path names, by id or name.
async fn find(call: &Call) -> Result<Api, Refusal> {
    let wanted = call.parameter("api");
    let mut apis = call.state.inventory.apis().await;
    if let Some(index) = apis.iter().position(|api| api.name == wanted || api.id == wanted) {
        return Ok(apis.swap_remove(index));
    }
    let detail = match nearest(wanted, apis.iter().map(|api| api.name.as_str())) {
        Some(near) => format!("no API is named `{wanted}`; did you mean `{near}`?"),
        None => format!("no API is named `{wanted}`"),
    };
    Err(Refusal::missing("api.not-found", detail).allowed(apis.into_iter().map(|api| api.name)))
}

/// A document, or 304 when the caller has it already.
struct Written {
    document: Document,
    etag: HeaderValue,
    is_known: bool,
    /// File name, if the caller asked for one.
    download: Option<HeaderValue>,
}

async fn specification(call: Call, query: SpecificationQuery) -> Result<Written, Refusal> {
    let api = find(&call).await?;
    let document = call.state.inventory.specification(&api.name, &query).await?;
    let etag = etag(&document, &query)?;
    let download = query.download.then(|| disposition(&api.name, &document)).transpose()?;
    let is_known = matches_etag(&call.headers, &etag);
    Ok(Written { document, etag, is_known, download })
}

/// Hash and everything that changes the text. Evidence moves while the hash does not, so its text counts too.
fn etag(document: &Document, query: &SpecificationQuery) -> Result<HeaderValue, Refusal> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (query.view, query.extensions, &*document.text).hash(&mut hasher);
    let short = document.revision.get(7..19).unwrap_or(&document.revision);
    let tag = format!(
        "\"{short}-{}-{}-{:016x}\"",
        version(document.dialect),
        suffix(document.format),
        hasher.finish()
    );
    HeaderValue::try_from(tag).map_err(Refusal::internal)
}

fn matches_etag(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|tags| tags.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag.as_bytes() == etag.as_bytes())
}

/// `orders-3f9a12c07e55-3.1.yaml`.
fn disposition(api: &str, document: &Document) -> Result<HeaderValue, Refusal> {
    let plain: String = api
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .collect();
    let name = format!(
        "attachment; filename=\"{plain}-{}-{}.{}\"",
        document.revision.get(7..19).unwrap_or_default(),
        version(document.dialect),
        suffix(document.format)
    );
    HeaderValue::try_from(name).map_err(Refusal::internal)
}

fn version(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::V30 => "3.0",
        Dialect::V31 => "3.1",
    }
}

fn suffix(format: Format) -> &'static str {
    match format {
        Format::Yaml => "yaml",
        Format::Json => "json",
    }
}

impl Answer for Written {
    fn output() -> Output {
        Output { status: 200, media: &["application/yaml", "application/json"], schema: None }
    }

    fn respond(self) -> Reply {
        let Self { document, etag, is_known, download } = self;
        let media = match document.format {
            Format::Yaml => "application/yaml",
            Format::Json => "application/json",
        };
        let mut response: Response<Body> = if is_known {
            response(StatusCode::NOT_MODIFIED, media, Body::empty())
        } else {
            response(StatusCode::OK, media, document.text.to_string())
        };
        let headers = response.headers_mut();
        headers.insert(ETAG, etag);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.extend(download.map(|name| (CONTENT_DISPOSITION, name)));
        let revision = HeaderValue::try_from(document.revision).map_err(Refusal::internal)?;
        headers.insert("driftgate-revision", revision);
        headers.insert("driftgate-origin", HeaderValue::from_static(document.origin));
        if !document.losses.is_empty() {
            let losses =
                HeaderValue::try_from(document.losses.join("; ").escape_default().to_string());
            headers.insert("driftgate-losses", losses.map_err(Refusal::internal)?);
        }
        Ok(response)
    }
}
