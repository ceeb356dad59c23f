//! Reusable credentials for outgoing calls (`spec/actions.md` 3).
//!
//! Owns obtaining, caching and renewing them, and putting them on a request. Refuses to own the HTTP client that carries token
//! requests, and every way of showing a credential: header values that leave here are marked sensitive.

mod client_credentials;
mod error;
mod jwt;
pub mod options;
mod token;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};

use crate::model::problem::{Problem, Problems};
use crate::model::secret::{Secret, SecretSource};
use crate::runtime::clock::Clock;
use crate::runtime::rng::Rng;

use super::Credentials;
use super::client::{Client, Request};
use super::guard::Trust;
use client_credentials::ClientCredentials;
pub use error::Error;
use jwt::Signer;
pub use options::AuthProvider;
use options::KeyPlace;
use token::Cache;

/// What providers need of the world.
#[derive(Clone)]
pub struct World {
    /// Carries token requests.
    pub client: Client,
    pub clock: Clock,
    pub rng: Rng,
    /// How far token URLs are trusted, by where they were written.
    pub trust: Trust,
}

/// All auth providers by name.
#[derive(Clone, Default)]
pub struct Providers(BTreeMap<String, Arc<Provider>>);

impl Providers {
    /// Makes every provider. Pointers of problems are relative to the list.
    ///
    /// # Errors
    /// When a secret was not read or does not fit where it goes.
    pub fn build(options: &[AuthProvider], world: &World) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut providers = BTreeMap::new();
        for (index, option) in options.iter().enumerate() {
            match Provider::new(option, world.clone()) {
                Ok(provider) => {
                    providers.insert(option.name().to_owned(), Arc::new(provider));
                }
                Err(mut problem) => {
                    problem.pointer.insert_str(0, &format!("/{index}"));
                    problems.push(problem);
                }
            }
        }
        if problems.is_empty() { Ok(Self(providers)) } else { Err(problems) }
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<dyn Credentials>> {
        self.0.get(name).map(|provider| Arc::clone(provider) as Arc<dyn Credentials>)
    }
}

/// One provider with what it has cached.
pub struct Provider {
    kind: Kind,
    world: World,
}

enum Kind {
    Header(HeaderName, HeaderValue),
    Query(String, Secret),
    ClientCredentials(Box<ClientCredentials>, Cache),
    Jwt(Box<Signer>, Cache),
}

impl Provider {
    /// # Errors
    /// When a secret was not read or does not fit where it goes.
    pub fn new(options: &AuthProvider, world: World) -> Result<Self, Problem> {
        let kind = match options {
            AuthProvider::Bearer(bearer) => {
                let token = read("/token", &bearer.token)?;
                Kind::Header(AUTHORIZATION, bearer_value(token).map_err(at("/token"))?)
            }
            AuthProvider::Basic(basic) => {
                let password = read("/password", &basic.password)?;
                let pair = format!("{}:{}", basic.user, password.reveal());
                let value = Secret::new(format!("Basic {}", STANDARD.encode(pair)));
                Kind::Header(AUTHORIZATION, sensitive(&value).map_err(at("/password"))?)
            }
            AuthProvider::ApiKey(key) => {
                let value = read("/value", &key.value)?;
                match key.place {
                    KeyPlace::Query => Kind::Query(key.key.clone(), value.clone()),
                    KeyPlace::Header => Kind::Header(
                        HeaderName::try_from(&key.key)
                            .map_err(|_| at("/key")(Error::Unsendable))?,
                        sensitive(value).map_err(at("/value"))?,
                    ),
                }
            }
            AuthProvider::ClientCredentials(options) => {
                let secret = read("/client_secret", &options.client_secret)?.clone();
                let grant = ClientCredentials::new(options, secret).map_err(at("/token_url"))?;
                Kind::ClientCredentials(Box::new(grant), Cache::default())
            }
            AuthProvider::Jwt(options) => {
                let key = read("/key", &options.key)?.clone();
                Kind::Jwt(Box::new(Signer::new(options, key)), Cache::default())
            }
        };
        Ok(Self { kind, world })
    }

    /// Puts the credential on a request.
    ///
    /// # Errors
    /// When none could be had.
    pub async fn apply(&self, request: &mut Request) -> Result<(), Error> {
        let World { clock, client, rng, trust } = &self.world;
        let token = match &self.kind {
            Kind::Header(name, value) => {
                request.headers.insert(name.clone(), value.clone());
                return Ok(());
            }
            Kind::Query(name, value) => {
                request.url.query_pairs_mut().append_pair(name, value.reveal());
                return Ok(());
            }
            Kind::ClientCredentials(grant, cache) => {
                cache.get(clock, async || grant.obtain(client, *trust).await).await?
            }
            Kind::Jwt(signer, cache) => {
                let sign = async || signer.sign(clock.now_ms(), rng.bytes());
                cache.get(clock, sign).await?
            }
        };
        request.headers.insert(AUTHORIZATION, bearer_value(&token)?);
        Ok(())
    }
}

#[async_trait]
impl Credentials for Provider {
    async fn authorise(&self, request: &mut Request) -> Result<(), String> {
        self.apply(request).await.map_err(|error| error.to_string())
    }

    fn refused(&self) -> bool {
        match &self.kind {
            Kind::Header(..) | Kind::Query(..) => false,
            Kind::ClientCredentials(_, cache) | Kind::Jwt(_, cache) => cache.drop_token(),
        }
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Provider(***)")
    }
}

fn bearer_value(token: &Secret) -> Result<HeaderValue, Error> {
    sensitive(&Secret::new(format!("Bearer {}", token.reveal())))
}

fn sensitive(value: &Secret) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(value.reveal()).map_err(|_| Error::Unsendable)?;
    value.set_sensitive(true);
    Ok(value)
}

fn read<'a>(pointer: &str, source: &'a SecretSource) -> Result<&'a Secret, Problem> {
    source.resolved().ok_or_else(|| {
        Problem::error(pointer, "auth.unread-secret", "a file or variable cannot be named here")
            .remedy("give the text of the secret")
    })
}

fn at(pointer: &'static str) -> impl FnOnce(Error) -> Problem {
    move |error| Problem::error(pointer, "auth.bad-secret", error.to_string())
}
