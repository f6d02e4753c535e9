//! What a code signature says that decides about inserted libraries (xnu `bsd/sys/codesign.h`).

use object::{Endianness, macho as raw};

use super::{super::ArtifactError, malformed};

/// A code signature.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signature {
    /// Nobody vouches for it (`CS_ADHOC`): the linker or `codesign -s -` made it.
    pub ad_hoc: bool,
    /// The hardened runtime is on (`CS_RUNTIME`).
    pub hardened: bool,
    /// dyld keeps `DYLD_` variables from it (`CS_RESTRICT`).
    pub restrict: bool,
    /// Every library must bear the same team's signature, or Apple's (`CS_REQUIRE_LV`).
    pub library_validation: bool,
    /// It is part of the system (the directory's platform is not 0).
    pub platform: bool,
    /// Whose it is.
    pub team: Option<String>,
    /// What it may do beside, as XML; empty if nothing.
    pub entitlements: String,
}

impl Signature {
    pub(super) fn read(
        command: &raw::LinkeditDataCommand<Endianness>,
        data: &[u8],
    ) -> Result<Signature, ArtifactError> {
        let mut all = Signature::default();
        let signature = command.code_signature(Endianness::Little, data).map_err(malformed)?;
        for blob in signature.blobs() {
            let blob = blob.map_err(malformed)?;
            if blob.slot() == raw::CSSLOT_ENTITLEMENTS {
                all.entitlements = String::from_utf8_lossy(blob.contents()).into_owned();
            }
            // Others hash the same with another function.
            if blob.slot() != raw::CSSLOT_CODEDIRECTORY {
                continue;
            }
            let Some(directory) = blob.code_directory().map_err(malformed)? else { continue };
            let flags = directory.header().flags.get(object::BigEndian);
            all.ad_hoc = flags.contains(raw::CS_ADHOC);
            all.hardened = flags.contains(raw::CS_RUNTIME);
            all.restrict = flags.contains(raw::CS_RESTRICT);
            all.library_validation = flags.contains(raw::CS_REQUIRE_LV);
            all.platform = directory.header().platform != 0;
            let team = directory.team_id().map_err(malformed)?;
            all.team = team.map(|team| String::from_utf8_lossy(team).into_owned());
        }
        Ok(all)
    }

    /// Whether it has an entitlement, and has it set.
    #[must_use]
    pub fn may(&self, entitlement: &str) -> bool {
        let key = format!("<key>{entitlement}</key>");
        let after = self.entitlements.split_once(&key).map(|(_, after)| after.trim_start());
        after.is_some_and(|value| value.starts_with("<true"))
    }
}
