//! Names of media types as a specification lists them, and which of them belong to pages rather than to an API.

use crate::model::media::MediaType;

/// The name under which bodies are filed: parameters are left out but those that tell versions apart.
pub(super) fn name(media: &MediaType) -> String {
    let mut name = media.essence().to_owned();
    for parameter in ["v", "version"] {
        if let Some(value) = media.parameter(parameter) {
            name.extend(["; ", parameter, "=", value]);
        }
    }
    name
}
