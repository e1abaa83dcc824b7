//! What is read of a file before the parquet crate reads it. Damaged pages make the crate panic, and a damaged footer makes
//! it take gigabytes, so it gets nothing but what has the digest that its writer gave it.
//!
//! The schema and the digest are the last two pairs of a footer's metadata, in every schema, and are searched from the
//! end: so no other text of the file can pass for them.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::{FileDamage, SCHEMA, column::hex};

/// The key of the schema's number.
pub(super) const SILVER: &str = "quotelake.silver";

/// The key of the digest: the first 16 bytes of SHA-256, in hexadecimal digits, of the file with [`ZEROS`] in its place.
pub(super) const ROWS: &str = "quotelake.rows";

/// What is written before the digest is known.
pub(super) const ZEROS: &str = "00000000000000000000000000000000";

/// Puts the digest where zeros are.
pub(super) fn put_digest(bytes: &mut [u8]) {
    if let Some(at) = value(bytes, ROWS).filter(|at| at.len() == ZEROS.len()) {
        let digest = digest(bytes, &at);
        bytes[at].copy_from_slice(&digest);
    }
}

/// Whether the file has our schema, and the bytes that it was written with.
pub(super) fn check(bytes: &[u8]) -> Result<(), FileDamage> {
    footer(bytes)?;
    let none = |key| FileDamage::NotSilver(format!("its metadata have no {key}"));
    let number = value(bytes, SILVER).ok_or_else(|| none(SILVER))?;
    let number = str::from_utf8(&bytes[number])
        .ok()
        .and_then(|number| number.parse().ok());
    match number {
        Some(SCHEMA) => {}
        Some(newer) if newer > SCHEMA => return Err(FileDamage::NewerSchema(newer)),
        _ => return Err(none(SILVER)),
    }
    let at = value(bytes, ROWS).ok_or_else(|| none(ROWS))?;
    if digest(bytes, &at)[..] == bytes[at] {
        Ok(())
    } else {
        Err(FileDamage::Edited)
    }
}

/// Where the footer is: before its length of four bytes and the file's last four.
fn footer(bytes: &[u8]) -> Result<Range<usize>, FileDamage> {
    let cut = |what: &str| FileDamage::NotParquet(what.to_owned());
    let rest = bytes
        .strip_prefix(b"PAR1")
        .ok_or_else(|| cut("it does not begin with PAR1"))?;
    let rest = rest
        .strip_suffix(b"PAR1")
        .ok_or_else(|| cut("it does not end with PAR1"))?;
    let footer = rest.split_last_chunk().and_then(|(rest, length)| {
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let end = b"PAR1".len() + rest.len();
        Some(end - rest.len().min(length)..end).filter(|_| length <= rest.len())
    });
    footer.ok_or_else(|| cut("it is shorter than its footer"))
}

/// Where the value of a key of the metadata is, if it is shorter than 128 bytes. Thrift's compact protocol has the value
/// behind the key, after its type and length.
fn value(bytes: &[u8], key: &str) -> Option<Range<usize>> {
    const NEXT_FIELD_IS_TEXT: u8 = 0x18;
    let footer = footer(bytes).ok()?;
    let key = [key.as_bytes(), &[NEXT_FIELD_IS_TEXT]].concat();
    let mut places = bytes[footer.clone()].windows(key.len());
    let start = footer.start + places.rposition(|place| place == key)? + key.len() + 1;
    let length = usize::from(*bytes.get(start - 1)?);
    let value = start..start + length;
    (length < 128 && value.end <= footer.end).then_some(value)
}

fn digest(bytes: &[u8], at: &Range<usize>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(&bytes[..at.start]);
    hash.update(ZEROS);
    hash.update(&bytes[at.end..]);
    let hash: [u8; 32] = hash.finalize().into();
    let mut first = [0; 16];
    first.copy_from_slice(&hash[..16]);
    hex(first)
}
