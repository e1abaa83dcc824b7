//! Names of members: when two are one.

use std::borrow::Cow;

/// What a string spells. What does not decode has a lone surrogate, and is refused for that.
pub(super) fn decoded(spelled: &str) -> Cow<'_, str> {
    if !spelled.contains('\\') {
        return Cow::Borrowed(spelled);
    }
    serde_json::from_str(&format!("\"{spelled}\"")).map_or(Cow::Borrowed(spelled), Cow::Owned)
}

/// One bit of 64 for a name in ASCII without escapes; names that are the same share one. Of any other all bits are set, for
/// what is spelled otherwise may be the same, and lower case may be ASCII: the Kelvin sign is a k.
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

/// Whether engines that ignore upper and lower case take two names for one.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    let (one, other) = (decoded(one), decoded(other));
    if one.is_ascii() && other.is_ascii() {
        one.eq_ignore_ascii_case(&other)
    } else {
        one.to_lowercase() == other.to_lowercase()
    }
}
