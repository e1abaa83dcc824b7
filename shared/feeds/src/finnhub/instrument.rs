use market::{AssetClass, Instrument, Symbol};

use super::exchanges::is_foreign;

/// What a symbol of Finnhub stands for: `AAPL`, `SAP.DE`, `BINANCE:BTCUSDT`, `OANDA:EUR_USD`, `^GSPC`.
pub(crate) fn instrument(symbol: &Symbol) -> Instrument {
    let symbol = symbol.clone();
    match symbol.as_str().split_once(':') {
        Some(("BINANCE", pair)) => {
            let pair = pair.to_owned();
            // Finnhub does not say which assets the pair has.
            Instrument::crypto_pair(symbol, &pair, None)
        }
        Some(("OANDA", pair)) => Instrument {
            canonical: pair.replace('_', "/"),
            asset_class: Some(AssetClass::Forex),
            currency: pair
                .split_once('_')
                .map(|(_, currency)| currency.to_owned().into()),
            ..Instrument::unknown(symbol)
        },
        None if !is_ticker(symbol.as_str()) => Instrument::unknown(symbol),
        None if is_foreign(symbol.as_str()) => Instrument {
            asset_class: Some(AssetClass::Equity),
            ..Instrument::unknown(symbol)
        },
        None => Instrument {
            asset_class: us_class(symbol.as_str()),
            ..Instrument::us_share(symbol)
        },
        _ => Instrument::unknown(symbol),
    }
}

/// Whether a symbol is a share's bare ticker, and no index.
fn is_ticker(symbol: &str) -> bool {
    symbol
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}

/// What a listing in the United States is, as far as its suffixes tell: `.WS` is a warrant. A unit (`.U`) and a right
/// (`.RT`) are neither shares nor any class that there is here; every other suffix is a class of shares, preferred ones
/// too (`.B`, `.PRE`).
fn us_class(symbol: &str) -> Option<AssetClass> {
    let has = |suffix| symbol.split('.').skip(1).any(|found| found == suffix);
    if has("WS") {
        Some(AssetClass::Warrant)
    } else if has("U") || has("RT") {
        None
    } else {
        Some(AssetClass::Equity)
    }
}

#[cfg(test)]
mod tests {
    use market::Calendar;

    use super::*;

    #[test]
    fn a_symbol_tells_what_it_stands_for_or_nothing_is_said() {
        let cases = [
            ("BRK.B", "BRK.B", Some("USD"), Some(AssetClass::Equity)),
            ("SAP.DE", "SAP.DE", None, Some(AssetClass::Equity)),
            ("BINANCE:BTCUSDT", "BTCUSDT", None, Some(AssetClass::Crypto)),
            (
                "OANDA:EUR_USD",
                "EUR/USD",
                Some("USD"),
                Some(AssetClass::Forex),
            ),
            ("^GSPC", "^GSPC", None, None),
            ("KRAKEN:XXBTZUSD", "KRAKEN:XXBTZUSD", None, None),
        ];
        for (symbol, canonical, currency, class) in cases {
            let instrument = instrument(&symbol.parse().unwrap());
            assert_eq!(instrument.canonical, canonical);
            assert_eq!(instrument.currency.as_deref(), currency, "{symbol}");
            assert_eq!(instrument.asset_class, class, "{symbol}");
            assert_eq!(instrument.symbol.as_str(), symbol);
        }
    }

    #[test]
    fn a_suffix_that_is_no_exchange_is_of_a_listing_in_the_us() {
        use AssetClass::{Equity, Warrant};
        let us = [
            ("AAPL", Some(Equity)),
            ("BRK.A", Some(Equity)),
            ("BAC.PRE", Some(Equity)),
            ("BAC.PR.E", Some(Equity)),
            ("ACHR.WS", Some(Warrant)),
            ("XYZ.WS.A", Some(Warrant)),
            ("ALUB.U", None),
            ("XYZ.RT", None),
            ("XYZ.WI", Some(Equity)),
        ];
        for (symbol, class) in us {
            let listed = instrument(&symbol.parse().unwrap());
            assert_eq!(listed.asset_class, class, "{symbol}");
            assert_eq!(listed.currency.as_deref(), Some("USD"), "{symbol}");
            assert_eq!(listed.calendar, Some(Calendar::UnitedStates), "{symbol}");
        }
        let elsewhere = [
            "SHOP.TO",
            "TECK.B.TO",
            "VOD.L",
            "SAP.DE",
            "BMW.F",
            "7203.T",
            "WELL.V",
            "CEZ.PR",
            "sap.de",
            "FPT.VN",
            "6488.TWO",
            "ES.CME",
        ];
        for symbol in elsewhere {
            let listed = instrument(&symbol.parse().unwrap());
            assert_eq!((listed.currency, listed.calendar), (None, None), "{symbol}");
        }
    }
}
