//! The 42 kinds of deviation from a baseline (`spec/contract.md` 4).
//!
//! Owns the closed set and its names, which are stable: they stand in events, policies and stored findings. Refuses to own
//! when a kind is raised and how bad it is (`contract`).

use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What kind of deviation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind { $($(#[$doc])* $variant,)* }

        impl Kind {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// `subject.deviation`, as events and policies spell it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

kinds! {
    EndpointUndocumented = "endpoint.undocumented",
    MethodUndocumented = "method.undocumented",
    EndpointDeprecatedInUse = "endpoint.deprecated-in-use",
    EndpointRemovedInUse = "endpoint.removed-in-use",
    EndpointUnimplemented = "endpoint.unimplemented",
    EndpointSilent = "endpoint.silent",
    StatusUndocumented = "status.undocumented",
    StatusVanished = "status.vanished",
    MediaTypeUndocumented = "media-type.undocumented",
    MediaTypeMissing = "media-type.missing",
    MediaTypeMalformed = "media-type.malformed",
    /// Says JSON and is not.
    MediaTypeLying = "media-type.lying",
    BodyUndocumented = "body.undocumented",
    BodyMissing = "body.missing",
    /// A request that the contract allows is refused, and no field could be blamed.
    RequestRefused = "request.refused",
    FieldUndocumented = "field.undocumented",
    FieldRequiredMissing = "field.required-missing",
    FieldVanished = "field.vanished",
    TypeChanged = "type.changed",
    NullUnexpected = "null.unexpected",
    EnumWidened = "enum.widened",
    EnumNarrowed = "enum.narrowed",
    BoundExceeded = "bound.exceeded",
    PatternBroken = "pattern.broken",
    FormatBroken = "format.broken",
    ConstChanged = "const.changed",
    UnionNoBranch = "union.no-branch",
    UnionAmbiguous = "union.ambiguous",
    DiscriminatorUnknown = "discriminator.unknown",
    ReadWriteViolated = "read-write.violated",
    ParamUndocumented = "param.undocumented",
    ParamRequiredMissing = "param.required-missing",
    ParamInvalid = "param.invalid",
    HeaderRequiredMissing = "header.required-missing",
    HeaderInvalid = "header.invalid",
    HeaderUndocumented = "header.undocumented",
    AuthUnauthenticatedSuccess = "auth.unauthenticated-success",
    AuthSchemeUndocumented = "auth.scheme-undocumented",
    AuthPlacementChanged = "auth.placement-changed",
    AuthNowRequired = "auth.now-required",
    VersionMismatch = "version.mismatch",
    TransportRedirected = "transport.redirected",
}

impl Kind {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_42_kinds_and_each_reads_back() {
        assert_eq!(Kind::ALL.len(), 42);
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(Kind::parse("field.unheard-of"), None);
    }
}
