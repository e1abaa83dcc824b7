//! Any text as one segment of a key's path.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::Version;

/// Any text as one path segment of at most `max` bytes, 18 at least.
pub(crate) fn segment(version: Version, text: &str, max: usize) -> String {
    let mut segment = String::new();
    push_segment(version, &mut segment, text, max);
    segment
}

/// Appends `text` as a path segment: what is no ASCII letter or digit, `-`, `.` or `_` is spelled by its UTF-8 bytes in
/// hexadecimal, each behind a `~`. Where that takes more than `max` bytes, it is cut between two characters and told apart
/// by `~~` and a hash. Keys hold no `%`, which engines and clients decode or not.
///
/// In layout 1 bytes are percent-encoded, and `~` and a hash mark a cut.
pub(crate) fn push_segment(version: Version, out: &mut String, text: &str, max: usize) {
    match version {
        Version::One => push_percent_encoded(out, text, max),
        Version::Two => push_spelled(out, text, max),
    }
}

/// The text that a path segment spells; one that was cut has its hash still.
pub fn spelled_text(version: Version, segment: &str) -> String {
    match version {
        Version::One => percent_decode_str(segment).decode_utf8_lossy().into_owned(),
        Version::Two => {
            let (spelled, hash) = match segment.find("~~") {
                Some(cut) => segment.split_at(cut),
                None => (segment, ""),
            };
            let mut bytes = Vec::with_capacity(segment.len());
            let mut parts = spelled.split('~');
            bytes.extend(parts.next().unwrap_or_default().bytes());
            for part in parts {
                let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
                bytes.push(u8::from_str_radix(digits, 16).unwrap_or(b'~'));
                bytes.extend(rest.bytes());
            }
            String::from_utf8_lossy(&bytes).into_owned() + hash
        }
    }
}

/// 16 hex digits of the SHA-256 of `bytes`.
pub(crate) fn short_hash(bytes: &[u8]) -> String {
    let mut hash = hash(bytes);
    hash.truncate(16);
    hash
}

/// The SHA-256 of `bytes` in hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn push_spelled(out: &mut String, text: &str, max: usize) {
    let start = out.len();
    if text.len() <= max && text.bytes().all(is_kept) {
        out.push_str(text);
        return;
    }
    let mut cut = start;
    for character in text.chars() {
        let mut utf8 = [0; 4];
        for &byte in character.encode_utf8(&mut utf8).as_bytes() {
            if is_kept(byte) {
                out.push(char::from(byte));
            } else {
                out.push('~');
                out.extend([byte >> 4, byte & 15].map(hex_digit));
            }
        }
        if out.len() - start > max {
            out.truncate(cut);
            out.push_str("~~");
            out.push_str(&short_hash(text.as_bytes()));
            return;
        }
        if out.len() - start <= max - CUT_MARK {
            cut = out.len();
        }
    }
}

/// The length of `~~` and a hash.
const CUT_MARK: usize = 18;

fn is_kept(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}

/// What stays as it is in a path segment of layout 1.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

fn push_percent_encoded(out: &mut String, text: &str, max: usize) {
    let start = out.len();
    out.extend(utf8_percent_encode(text, KEPT));
    if out.len() - start > max {
        out.truncate(start + max - 17);
        // A cut inside of %XX leaves no half of it behind.
        let tail = out.len() - 2;
        if let Some(cut) = out[tail..].find('%') {
            out.truncate(tail + cut);
        }
        out.push('~');
        out.push_str(&short_hash(text.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::SEGMENT_MAX;

    #[test]
    fn a_segment_is_cut_between_characters() {
        let of = |text: &str| segment(Version::Two, text, SEGMENT_MAX);
        assert_eq!(of("AAPL"), "AAPL");
        assert_eq!(of("BTC/USDT"), "BTC~2FUSDT");
        assert_eq!(of("a~b c"), "a~7Eb~20c");
        assert_eq!(of(""), "");
        assert_eq!(of("贵州茅台"), "~E8~B4~B5~E5~B7~9E~E8~8C~85~E5~8F~B0");
        assert_eq!(of(&"🦀".repeat(1024)), "~F0~9F~A6~80~~273585381e20b344");
    }

    #[test]
    fn layout_1_spells_as_it_always_did() {
        let of = |text: &str| segment(Version::One, text, SEGMENT_MAX);
        assert_eq!(of("BINANCE:BTCUSDT"), "BINANCE%3ABTCUSDT");
        assert_eq!(of("a~b c"), "a%7Eb%20c");
        assert_eq!(
            of(&"🦀".repeat(1024)),
            "%F0%9F%A6%80%F0%9F%A6~273585381e20b344"
        );
    }

    proptest! {
        #[test]
        fn texts_never_share_a_segment_and_each_is_spelled_by_it(a in ".{0,60}", b in ".{0,60}") {
            for version in [Version::One, Version::Two] {
                for text in [&a, &b] {
                    let segment = segment(version, text, SEGMENT_MAX);
                    prop_assert!(segment.len() <= SEGMENT_MAX);
                    prop_assert!(segment.bytes().all(|byte| is_kept(byte) || b"~%".contains(&byte)));
                    if version == Version::Two {
                        let spelled = spelled_text(version, &segment);
                        let whole = spelled.split_once("~~").map_or(&*spelled, |(whole, _)| whole);
                        // A cut lies between characters, so no half of one is left.
                        prop_assert!(spelled == *text || text.starts_with(whole));
                        prop_assert!(!segment.contains('%'));
                    }
                }
                let of = |text| segment(version, text, SEGMENT_MAX);
                prop_assert_eq!(a == b, of(&a) == of(&b));
            }
        }
    }
}
