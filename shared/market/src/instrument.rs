use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Calendar, Symbol};

/// What a symbol stands for, as far as its provider tells. Each is `None` where nobody has told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instrument {
    /// The symbol as the provider writes it.
    pub symbol: Symbol,
    /// The same instrument has one name from every provider that says enough of it: `AAPL`, `BTC/USDT`, `FPT`. A
    /// pair of which nobody told the assets keeps its exchange's name: `BTCUSDT`.
    pub canonical: String,
    /// The kind.
    pub asset_class: Option<AssetClass>,
    /// The exchange.
    pub mic: Option<Mic>,
    /// The currency or asset that prices are in: an ISO 4217 code, or an asset's ticker.
    pub currency: Option<Cow<'static, str>>,
    /// Whose hours it is traded in.
    pub calendar: Option<Calendar>,
}

/// The kind of instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AssetClass {
    /// A share.
    Equity,
    /// A pair of crypto assets, or of one and a currency.
    Crypto,
    /// A pair of currencies.
    Forex,
    /// A fund that is traded like a share.
    Etf,
    /// A warrant, covered ones too.
    Warrant,
}

/// The two assets of a pair, as its exchange says: the name of a pair does not tell where one ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Assets {
    /// The asset that volumes are in.
    pub base: String,
    /// The asset that prices are in.
    pub quote: String,
}

/// A market identifier code of ISO 10383, such as `XNAS`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mic([u8; 4]);

/// A text that is no market identifier code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{input:?} is no market identifier code: write the four letters or digits of ISO 10383, such as XNAS"
)]
pub struct MicError {
    /// The text, or its first 16 characters.
    pub input: String,
}

impl Instrument {
    /// An instrument of which only the symbol is known.
    pub fn unknown(symbol: Symbol) -> Self {
        Self {
            canonical: symbol.as_str().to_owned(),
            symbol,
            asset_class: None,
            mic: None,
            currency: None,
            calendar: None,
        }
    }

    /// A share listed in the United States, on an exchange that the symbol does not tell.
    pub fn us_share(symbol: Symbol) -> Self {
        Self {
            asset_class: Some(AssetClass::Equity),
            currency: Some(Cow::Borrowed("USD")),
            calendar: Some(Calendar::UnitedStates),
            ..Self::unknown(symbol)
        }
    }

    /// A pair that Binance calls `name` (`BTCUSDT`), from any provider. Its name is never split by guess: `QTCAEUR`
    /// may be QTCA in EUR or QTC in AEUR. Binance has no MIC in ISO 10383.
    pub fn crypto_pair(symbol: Symbol, name: &str, assets: Option<&Assets>) -> Self {
        Self {
            canonical: assets.map_or_else(
                || name.to_owned(),
                |Assets { base, quote }| format!("{base}/{quote}"),
            ),
            asset_class: Some(AssetClass::Crypto),
            currency: assets.map(|assets| Cow::Owned(assets.quote.clone())),
            calendar: Some(Calendar::Continuous),
            ..Self::unknown(symbol)
        }
    }

    /// A share listed in Vietnam, on the exchange if that is known. Without one the hours are those of HOSE.
    pub fn vietnamese_share(symbol: Symbol, exchange: Option<Calendar>) -> Self {
        let mic = match exchange {
            Some(Calendar::Hose) => Some(Mic(*b"XSTC")),
            Some(Calendar::Hnx) => Some(Mic(*b"HSTC")),
            Some(Calendar::Upcom) => Some(Mic(*b"XHNX")),
            _ => None,
        };
        Self {
            asset_class: Some(AssetClass::Equity),
            mic,
            currency: Some(Cow::Borrowed("VND")),
            calendar: exchange.or(Some(Calendar::Hose)),
            ..Self::unknown(symbol)
        }
    }
}

impl Mic {
    /// The four characters.
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever put in.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Mic {
    type Err = MicError;

    fn from_str(input: &str) -> Result<Self, MicError> {
        match <[u8; 4]>::try_from(input.as_bytes()) {
            Ok(bytes)
                if bytes
                    .iter()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) =>
            {
                Ok(Self(bytes))
            }
            _ => Err(MicError {
                input: input.chars().take(16).collect(),
            }),
        }
    }
}

impl fmt::Display for Mic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Mic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Mic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Mic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_split_as_its_exchange_says_or_not_at_all() {
        let pair = |name: &str, assets: Option<[&str; 2]>| {
            let assets = assets.map(|assets| assets.map(str::to_owned));
            let assets = assets.map(|[base, quote]| Assets { base, quote });
            let pair = Instrument::crypto_pair(name.parse().unwrap(), name, assets.as_ref());
            (pair.canonical, pair.currency.map(Cow::into_owned))
        };
        for (name, base, quote) in [
            ("QTCAEUR", "QTC", "AEUR"),
            ("QOTUSD", "QOT", "USD"),
            ("BTCUSDT", "BTC", "USDT"),
        ] {
            let split = (format!("{base}/{quote}"), Some(quote.to_owned()));
            assert_eq!(pair(name, Some([base, quote])), split);
            assert_eq!(pair(name, None), (name.to_owned(), None));
        }
    }

    #[test]
    fn a_vietnamese_exchange_has_the_mic_of_its_segment() {
        let mic = |exchange| {
            let share = Instrument::vietnamese_share("FPT".parse().unwrap(), exchange);
            share.mic.map(|mic| mic.to_string())
        };
        assert_eq!(mic(Some(Calendar::Hose)).as_deref(), Some("XSTC"));
        assert_eq!(mic(Some(Calendar::Hnx)).as_deref(), Some("HSTC"));
        assert_eq!(mic(Some(Calendar::Upcom)).as_deref(), Some("XHNX"));
        assert_eq!(mic(None), None);
    }

    #[test]
    fn a_mic_is_four_capitals_or_digits() {
        assert_eq!("XNAS".parse::<Mic>().unwrap().as_str(), "XNAS");
        for wrong in ["xnas", "NASDAQ", "", "XN S", "ХNAS"] {
            assert!(wrong.parse::<Mic>().is_err(), "{wrong}");
        }
    }
}
