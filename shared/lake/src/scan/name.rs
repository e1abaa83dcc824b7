//! Names of members: when two are one.

use std::borrow::Cow;

/// What a string spells. What does not decode has a lone surrogate, and is refused for that.
pub(super) fn decoded(spelled: &str) -> Cow<'_, str> {
    if !spelled.contains('\\') {
        return Cow::Borrowed(spelled);
    }
    serde_json::from_str(&format!("\"{spelled}\"")).map_or(Cow::Borrowed(spelled), Cow::Owned)
}

/// Whether engines that ignore upper and lower case take a name for `other`, which is ASCII.
pub(super) fn same_name(name: &str, other: &str) -> bool {
    if name.is_ascii() {
        name.eq_ignore_ascii_case(other)
    } else {
        fold(name) == fold(other)
    }
}

/// What two names have in common that engines which ignore upper and lower case take for one: of each character the lower
/// case of its upper case, where that is one character, as in Java's `equalsIgnoreCase`. The Kelvin sign is a k.
pub(super) fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let upper = |character: char| only(character.to_uppercase(), character);
    let lower = |character: char| only(character.to_lowercase(), character);
    name.chars().map(upper).map(lower).collect()
}

/// The only character of `of`, or else `other`.
fn only(mut of: impl Iterator<Item = char>, other: char) -> char {
    match (of.next(), of.next()) {
        (Some(only), None) => only,
        _ => other,
    }
}

/// One bit of 64 for a name in ASCII without escapes; names that are the same share one.
pub(super) fn mark(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return 1;
    };
    let middle = bytes[bytes.len() / 2];
    let sum = bytes.len()
        + usize::from(first | 0x20) * 7
        + usize::from(last | 0x20) * 31
        + usize::from(middle | 0x20) * 13;
    1 << (sum % 64)
}
