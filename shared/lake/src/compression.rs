use std::{io::Read, str::FromStr};

use bytes::Bytes;

use crate::store::OBJECT_MAX;

/// What bronze objects are packed with.
///
/// The promise of equal bytes is one of the lines, which are the same whatever packs them; packed bytes are the
/// same for one version of the library, whose level and frame are fixed here. So a union compares lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Plain lines.
    #[default]
    None,
    /// One Zstandard frame (RFC 8878) at level 3, with a checksum.
    Zstd,
}

/// Bytes that don't unpack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unpackable {
    #[error("it is no Zstandard frame: {0}")]
    NotZstd(String),
    /// With the length of what it unpacks to, in bytes.
    #[error("it unpacks to {0} bytes")]
    TooLong(usize),
}

const LEVEL: i32 = 3;

impl Compression {
    /// How it is called in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Zstd => "zstd",
        }
    }

    /// What the names of objects end with.
    pub fn extension(self) -> &'static str {
        match self {
            Self::None => ".ndjson",
            Self::Zstd => ".ndjson.zst",
        }
    }

    pub(crate) fn pack(self, lines: &Bytes) -> Bytes {
        match self {
            Self::None => lines.clone(),
            Self::Zstd => frame(lines).into(),
        }
    }

    /// Unpacks what has at most `most` bytes then.
    pub(crate) fn unpack(self, packed: &Bytes, most: usize) -> Result<Bytes, Unpackable> {
        match self {
            Self::None if packed.len() > most => Err(Unpackable::TooLong(packed.len())),
            Self::None => Ok(packed.clone()),
            Self::Zstd => unframe(packed, most),
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "packing memory into memory fails only where memory itself does"
)]
fn frame(lines: &[u8]) -> Vec<u8> {
    let mut packer = zstd::bulk::Compressor::new(LEVEL).expect("a known level");
    packer.include_checksum(true).expect("a known setting");
    packer.compress(lines).expect("room for the frame")
}

fn unframe(packed: &[u8], most: usize) -> Result<Bytes, Unpackable> {
    let not_zstd = |error: std::io::Error| Unpackable::NotZstd(error.to_string());
    // Ours say their length; without it a frame is unpacked as far as there is room.
    let said = zstd::zstd_safe::get_frame_content_size(packed)
        .ok()
        .flatten();
    let said = said.and_then(|said| usize::try_from(said).ok());
    if let Some(said) = said.filter(|&said| said > most) {
        return Err(Unpackable::TooLong(said));
    }
    let mut frame = zstd::Decoder::with_buffer(packed)
        .map_err(not_zstd)?
        .single_frame();
    let mut lines = Vec::with_capacity(said.unwrap_or_default());
    let limit = most as u64 + 1;
    frame
        .by_ref()
        .take(limit)
        .read_to_end(&mut lines)
        .map_err(not_zstd)?;
    if lines.len() > most {
        return Err(Unpackable::TooLong(OBJECT_MAX.max(most + 1)));
    }
    if !frame.finish().is_empty() {
        return Err(Unpackable::NotZstd("bytes follow the frame".to_owned()));
    }
    Ok(lines.into())
}

impl FromStr for Compression {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            "zstd" => Ok(Self::Zstd),
            _ => Err("neither 'none' nor 'zstd'"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_unpacks_and_damage_is_noticed(
            lines in prop::collection::vec(any::<u8>(), 0..2_000),
            at in any::<prop::sample::Index>(),
            flip in 1..=255_u8,
        ) {
            let lines = Bytes::from(lines);
            for compression in [Compression::None, Compression::Zstd] {
                let packed = compression.pack(&lines);
                prop_assert_eq!(compression.unpack(&packed, 2_000).unwrap(), lines.clone());
                prop_assert_eq!(compression.pack(&lines), packed);
            }
            for most in [lines.len(), lines.len().saturating_sub(1)] {
                let fits = most == lines.len();
                for compression in [Compression::None, Compression::Zstd] {
                    prop_assert_eq!(compression.unpack(&compression.pack(&lines), most).is_ok(), fits);
                }
            }
            let mut damaged = Compression::Zstd.pack(&lines).to_vec();
            let at = at.index(damaged.len());
            damaged[at] ^= flip;
            // A bit that the format leaves unused may change and say nothing.
            let unpacked = Compression::Zstd.unpack(&damaged.into(), 2_000);
            prop_assert!(unpacked.is_err() || unpacked == Ok(lines.clone()));
            let mut longer = Compression::Zstd.pack(&lines).to_vec();
            longer.push(0);
            prop_assert!(Compression::Zstd.unpack(&longer.into(), 2_000).is_err());
            let whole = Compression::Zstd.pack(&lines);
            prop_assert!(Compression::Zstd.unpack(&whole.slice(..whole.len() - 1), 2_000).is_err());
        }
    }
}
