use serde::Serialize;

use crate::Quote;

/// The quote assets of Binance spot, longest first: a pair is its base asset followed by one of these.
const BINANCE_QUOTE_ASSETS: [&str; 30] = [
    "FDUSD", "BIDR", "BUSD", "BVND", "DOGE", "EURI", "IDRT", "TUSD", "USD1", "USDC", "USDP",
    "USDT", "ARS", "AUD", "BNB", "BRL", "BTC", "COP", "CZK", "DAI", "ETH", "EUR", "GBP", "JPY",
    "MXN", "PLN", "RON", "RUB", "TRY", "ZAR",
];

/// The kind of instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AssetClass {
    /// A share.
    Equity,
    /// A pair of crypto assets, or of one and a currency.
    Crypto,
}

/// The kind of instrument, where the provider and the symbol tell it: Finnhub also quotes
/// `OANDA:EUR_USD` and `^GSPC`.
pub fn asset_class(quote: &Quote) -> Option<AssetClass> {
    match quote {
        Quote::Finnhub(quote) => is_ticker(quote.symbol.as_str()).then_some(AssetClass::Equity),
        Quote::Binance(_) => Some(AssetClass::Crypto),
    }
}

/// The currency or asset that the price is in, where the symbol tells it: `USD` for a US share of
/// Finnhub, the quote asset for a pair of Binance.
pub fn currency(quote: &Quote) -> Option<&'static str> {
    match quote {
        Quote::Finnhub(quote) => is_us_ticker(quote.symbol.as_str()).then_some("USD"),
        Quote::Binance(ticker) => {
            let pair = ticker.symbol.as_str();
            BINANCE_QUOTE_ASSETS
                .into_iter()
                .find(|asset| pair.len() > asset.len() && pair.ends_with(asset))
        }
    }
}

/// Whether a symbol of Finnhub is a bare ticker, without an exchange in front and no index.
fn is_ticker(symbol: &str) -> bool {
    symbol
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}

/// Whether a symbol of Finnhub is listed in the US: other listings have a suffix (`SAP.DE`, `VOD.L`).
/// `.A` and `.B` are classes of US shares; no exchange has these suffixes.
fn is_us_ticker(symbol: &str) -> bool {
    is_ticker(symbol)
        && symbol
            .split_once('.')
            .is_none_or(|(_, suffix)| matches!(suffix, "A" | "B"))
}
