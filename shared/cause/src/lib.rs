//! What an error was caused by: words for its sentence, and the error itself for its chain.
//!
//! An error of ours is one sentence that names its cause. The SDK of AWS nests four errors, of which the outer ones say only
//! "dispatch failure". So the sentence takes the words of a [`Cause`], and a caller that wants more walks its `source()`.
//!
//! ```
//! use std::{error::Error, io};
//! use cause::Cause;
//!
//! let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
//! let cause = Cause::of(refused);
//! assert_eq!(cause.to_string(), "connection refused");
//! assert!(cause.source().unwrap().is::<io::Error>());
//! ```

#![forbid(unsafe_code)]

use std::{error::Error, fmt, sync::Arc};

/// The words of a cause, and the error behind them where there is one. Two are equal if their words are. `Debug` shows the
/// words alone, because an error of a client may hold an answer with a secret in it.
#[derive(Clone)]
pub struct Cause {
    words: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Cause {
    /// The cause `error`, in the words of the innermost error, as one line.
    pub fn of(error: impl Error + Send + Sync + 'static) -> Self {
        Self::in_words(innermost(&error), error)
    }

    /// The cause `error` in other words, as one line.
    pub fn in_words(
        words: impl AsRef<str>,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            words: one_line(words.as_ref()),
            source: Some(Arc::from(error.into())),
        }
    }
}

impl<T: Into<String>> From<T> for Cause {
    /// A cause of which nothing but its words is known.
    fn from(words: T) -> Self {
        Self {
            words: words.into(),
            source: None,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.words, f)
    }
}

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl Eq for Cause {}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}

/// The words of the innermost of an error's causes, as one line.
pub fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    one_line(&innermost.to_string())
}

/// The words of a text without line breaks and other white space between them but one space.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug)]
    struct Outer(io::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("dispatch failure")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn the_words_are_the_innermost_and_the_chain_is_whole() {
        let cause = Cause::of(Outer(io::Error::other("connection\n  refused")));
        assert_eq!(cause.to_string(), "connection refused");
        let outer = cause.source().unwrap();
        assert_eq!(outer.to_string(), "dispatch failure");
        assert!(outer.source().unwrap().is::<io::Error>());
    }

    #[test]
    fn causes_are_equal_by_their_words() {
        let words = Cause::from("down");
        assert_eq!(words, Cause::of(io::Error::other("down")));
        assert_ne!(words, Cause::from("up"));
        assert!(words.source().is_none());
    }
}
