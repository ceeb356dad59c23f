//! Where a managed test finds specifications: the store, files, URLs.

use async_trait::async_trait;
use http::Method;
use std::path::Path;
use std::time::Duration;
use url::Url;

use crate::actions::contract_test::choice::{Found, Shelf};
use crate::actions::contract_test::options::SpecificationSource;
use crate::actions::world::World;
use crate::deliver::client::{Ending, Keep, Request, Timeouts};
use crate::model::limits::SPECIFICATION_BYTES_MAX;
use crate::model::revision::{Origin, Revision, RevisionId};
use crate::runtime::files;
use crate::store;

const WITHIN: Duration = Duration::from_mins(1);

/// The specifications that an action of one API may use.
pub(super) struct StoreShelf<'a> {
    pub(super) world: &'a World,
    /// The API of the event or of the action.
    pub(super) api: Option<&'a str>,
}

impl StoreShelf<'_> {
    async fn read(
        &self,
        query: impl FnOnce(&store::Reader, &str) -> Result<Option<Revision>, store::Error>
        + Send
        + 'static,
    ) -> Result<Found, String> {
        let api = self.api.ok_or("neither action nor event names an API")?.to_owned();
        let read = self.world.store.read(move |reader| query(reader, &api)).await;
        let revision = read.map_err(|error| error.to_string())?;
        let revision = revision.ok_or("no such revision is kept")?;
        Ok(Found { text: revision.text.to_string(), place: revision.id.to_string(), file: None })
    }

    /// What the API is held to now: the file it was given, else what was frozen.
    async fn baseline(&self) -> Result<Found, String> {
        let api = self.api.and_then(|name| self.world.apis.get(name));
        if let Some(path) = api.and_then(|api| api.baseline_file.as_deref()) {
            return file(path);
        }
        self.read(|reader, api| match reader.baseline(api)? {
            Some(baseline) => reader.revision(api, &baseline.revision),
            None => Ok(None),
        })
        .await
    }

    async fn fetch(&self, url: &str) -> Result<Found, String> {
        let parsed = Url::parse(url).map_err(|error| error.to_string())?;
        let limit = usize::try_from(SPECIFICATION_BYTES_MAX).unwrap_or(usize::MAX);
        let mut request = Request::new(Method::GET, parsed, self.world.trust.without_metadata());
        request.timeouts = Timeouts { head: WITHIN, total: WITHIN, ..Timeouts::default() };
        request.keep = Keep { decoded_bytes: limit, raw_bytes: limit, duration: WITHIN };
        let reply = self.world.client.send(request).await.map_err(|failure| failure.error)?;
        if !reply.status.is_success() {
            return Err(format!("`{url}` answered {}", reply.status));
        }
        if reply.ending != Ending::Complete {
            return Err(format!("`{url}` did not give the whole document"));
        }
        let text = String::from_utf8(reply.body).map_err(|_| format!("`{url}` is not UTF-8"))?;
        Ok(Found { text, place: url.to_owned(), file: None })
    }
}

fn file(path: &Path) -> Result<Found, String> {
    let text =
        files::read_text(path, SPECIFICATION_BYTES_MAX).map_err(|error| error.to_string())?;
    Ok(Found { text, place: path.display().to_string(), file: Some(path.to_owned()) })
}

#[async_trait]
impl Shelf for StoreShelf<'_> {
    async fn revision(&self, id: &RevisionId) -> Result<Found, String> {
        let id = id.clone();
        self.read(move |reader, api| reader.revision(api, &id)).await
    }

    async fn predefined(&self, source: &SpecificationSource) -> Result<Found, String> {
        match source {
            SpecificationSource::Revision(id) => self.revision(id).await,
            SpecificationSource::Url(url) => self.fetch(url).await,
            SpecificationSource::Learned => {
                self.read(|reader, api| reader.latest_revision(api, Origin::Learned)).await
            }
            SpecificationSource::Baseline => self.baseline().await,
            SpecificationSource::File(path) => file(path),
        }
    }
}
