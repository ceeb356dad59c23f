//! Self-signed JSON Web Tokens (RFC 7515, 7518 section 3.2, 7519).

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::{Sha256, Sha384, Sha512};

use crate::model::hash::hexadecimal;
use crate::model::secret::Secret;

use super::error::Error;
use super::options::{Algorithm, Jwt};
use super::token::Fresh;

pub(super) struct Signer {
    algorithm: Algorithm,
    key: Secret,
    kid: Option<String>,
    claims: BTreeMap<String, Value>,
    life: Duration,
}

impl Signer {
    pub(super) fn new(options: &Jwt, key: Secret) -> Self {
        Self {
            algorithm: options.alg,
            key,
            kid: options.kid.clone(),
            claims: options.claims.clone(),
            life: options.ttl.0,
        }
    }

    /// A token valid from now on; `random` makes its `jti`.
    pub(super) fn sign(&self, now_ms: i64, random: [u8; 16]) -> Result<Fresh, Error> {
        let mut header = json!({ "alg": self.algorithm.as_str(), "typ": "JWT" });
        if let Some(kid) = &self.kid {
            header["kid"] = Value::from(kid.as_str());
        }
        let issued = now_ms.div_euclid(1_000);
        let life = i64::try_from(self.life.as_secs()).map_err(|_| Error::Unsendable)?;
        let mut claims: Map<String, Value> = self.claims.clone().into_iter().collect();
        claims.insert("iat".to_owned(), Value::from(issued));
        claims.insert("exp".to_owned(), Value::from(issued.saturating_add(life)));
        claims.insert("jti".to_owned(), Value::from(hexadecimal(&random)));
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let text = format!("{}.{}", encode(&header), encode(&Value::Object(claims)));
        let signature = URL_SAFE_NO_PAD.encode(self.mac(text.as_bytes()));
        Ok(Fresh { token: Secret::new(format!("{text}.{signature}")), life: self.life })
    }

    fn mac(&self, text: &[u8]) -> Vec<u8> {
        macro_rules! hmac_of {
            ($hash:ty) => {{
                let mut mac = Hmac::<$hash>::new_from_slice(self.key.reveal().as_bytes())
                    .expect("an HMAC takes keys of every length");
                mac.update(text);
                mac.finalize().into_bytes().to_vec()
            }};
        }
        match self.algorithm {
            Algorithm::HS256 => hmac_of!(Sha256),
            Algorithm::HS384 => hmac_of!(Sha384),
            Algorithm::HS512 => hmac_of!(Sha512),
        }
    }
}
