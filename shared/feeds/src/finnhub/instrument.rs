use market::Instrument;
use market::{AssetClass, Symbol};

/// What a symbol of Finnhub stands for: `AAPL`, `SAP.DE`, `BINANCE:BTCUSDT`, `OANDA:EUR_USD`, `^GSPC`.
pub(crate) fn instrument(symbol: &Symbol) -> Instrument {
    let symbol = symbol.clone();
    match symbol.as_str().split_once(':') {
        Some(("BINANCE", pair)) => {
            let pair = pair.to_owned();
            Instrument::crypto_pair(symbol, &pair)
        }
        Some(("OANDA", pair)) => Instrument {
            canonical: pair.replace('_', "/"),
            asset_class: Some(AssetClass::Forex),
            currency: pair
                .split_once('_')
                .map(|(_, currency)| currency.to_owned().into()),
            ..Instrument::unknown(symbol)
        },
        None if is_us_ticker(symbol.as_str()) => Instrument::us_share(symbol),
        None if is_ticker(symbol.as_str()) => Instrument {
            asset_class: Some(AssetClass::Equity),
            ..Instrument::unknown(symbol)
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

/// Whether a ticker is listed in the US: other listings have a suffix (`SAP.DE`, `VOD.L`). `.A` and `.B` are
/// classes of US shares; no exchange has these suffixes.
fn is_us_ticker(symbol: &str) -> bool {
    is_ticker(symbol)
        && symbol
            .split_once('.')
            .is_none_or(|(_, suffix)| matches!(suffix, "A" | "B"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_tells_what_it_stands_for_or_nothing_is_said() {
        let cases = [
            ("BRK.B", "BRK.B", Some("USD"), Some(AssetClass::Equity)),
            ("SAP.DE", "SAP.DE", None, Some(AssetClass::Equity)),
            (
                "BINANCE:BTCUSDT",
                "BTC/USDT",
                Some("USDT"),
                Some(AssetClass::Crypto),
            ),
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
}
