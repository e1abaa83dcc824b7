//! Deserialization that never fails on a member's type: what is not as expected is [`Field::Odd`].

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// A member of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// Not there, or null.
    #[default]
    Absent,
    /// There, with a type that it should not have.
    Odd,
    /// There and usable.
    Is(T),
}

impl<T> Field<T> {
    /// The value if it is usable.
    pub fn is(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Odd => None,
        }
    }

    pub(super) fn or_default(self) -> T
    where
        T: Default,
    {
        match self {
            Self::Is(value) => value,
            Self::Absent | Self::Odd => T::default(),
        }
    }
}

/// What a [`Tolerant`] visitor takes; every method that is left out answers [`Field::Odd`].
pub(super) trait Expect<'de>: Sized {
    type Value;

    fn text(self, _: Cow<'de, str>) -> Field<Self::Value> {
        Field::Odd
    }

    fn integer(self, _: i64) -> Field<Self::Value> {
        Field::Odd
    }

    fn seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Field<Self::Value>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::Odd)
    }

    fn map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field<Self::Value>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Odd)
    }
}

pub(super) struct Tolerant<E>(pub(super) E);

impl<'de, E: Expect<'de>> Visitor<'de> for Tolerant<E> {
    type Value = Field<E::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<F: Error>(self) -> Result<Self::Value, F> {
        Ok(Field::Absent)
    }

    fn visit_bool<F: Error>(self, _: bool) -> Result<Self::Value, F> {
        Ok(Field::Odd)
    }

    fn visit_i64<F: Error>(self, number: i64) -> Result<Self::Value, F> {
        Ok(self.0.integer(number))
    }

    fn visit_u64<F: Error>(self, number: u64) -> Result<Self::Value, F> {
        Ok(i64::try_from(number).map_or(Field::Odd, |number| self.0.integer(number)))
    }

    fn visit_f64<F: Error>(self, _: f64) -> Result<Self::Value, F> {
        Ok(Field::Odd)
    }

    fn visit_borrowed_str<F: Error>(self, text: &'de str) -> Result<Self::Value, F> {
        Ok(self.0.text(Cow::Borrowed(text)))
    }

    fn visit_str<F: Error>(self, text: &str) -> Result<Self::Value, F> {
        Ok(self.0.text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        self.0.seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.map(map)
    }
}

/// A string that is borrowed where it has no escapes.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Field<Cow<'a, str>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<'a>(PhantomData<&'a ()>);
        impl<'de> Expect<'de> for Any<'de> {
            type Value = Cow<'de, str>;

            fn text(self, text: Cow<'de, str>) -> Field<Self::Value> {
                Field::Is(text)
            }
        }
        deserializer.deserialize_any(Tolerant(Any(PhantomData)))
    }
}

/// An integer, or a string of one.
impl<'de> Deserialize<'de> for Field<i64> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Integer;
        impl<'de> Expect<'de> for Integer {
            type Value = i64;

            fn text(self, text: Cow<'de, str>) -> Field<i64> {
                text.parse().map_or(Field::Odd, Field::Is)
            }

            fn integer(self, number: i64) -> Field<i64> {
                Field::Is(number)
            }
        }
        deserializer.deserialize_any(Tolerant(Integer))
    }
}

/// A list of bytes, each from -128 to 255.
impl<'de> Deserialize<'de> for Field<Vec<u8>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Expect<'de> for Bytes {
            type Value = Vec<u8>;

            fn seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Field<Vec<u8>>, A::Error> {
                let mut bytes = Some(Vec::new());
                while let Some(byte) = seq.next_element::<Field<i64>>()? {
                    let byte = byte.is().and_then(|&byte| byte_of(byte));
                    match (&mut bytes, byte) {
                        (Some(bytes), Some(byte)) => bytes.push(byte),
                        _ => bytes = None,
                    }
                }
                Ok(bytes.map_or(Field::Odd, Field::Is))
            }
        }
        deserializer.deserialize_any(Tolerant(Bytes))
    }
}

fn byte_of(number: i64) -> Option<u8> {
    u8::try_from(number)
        .or_else(|_| i8::try_from(number).map(i8::cast_unsigned))
        .ok()
}
