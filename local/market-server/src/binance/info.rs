//! `GET /api/v3/exchangeInfo` of the recorded pairs, with the members that say what a pair is.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::asked::{Asked, Refused};

/// What the call costs, whatever it asks for.
pub(super) const WEIGHT: u32 = 20;

/// Every recorded pair with its base and its quote asset, which its name does not tell apart.
pub(super) const PAIRS: [[&str; 3]; 2] = [["BTCUSDT", "BTC", "USDT"], ["ETHUSDT", "ETH", "USDT"]];

/// The body, in Binance's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExchangeInfo {
    timezone: &'static str,
    server_time: i64,
    rate_limits: Value,
    exchange_filters: [Value; 0],
    symbols: Vec<Pair>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pair {
    symbol: &'static str,
    status: &'static str,
    base_asset: &'static str,
    base_asset_precision: u8,
    quote_asset: &'static str,
    quote_precision: u8,
    quote_asset_precision: u8,
    is_spot_trading_allowed: bool,
    permissions: [Value; 0],
}

impl ExchangeInfo {
    /// That of the pairs asked for; one that is not recorded refuses the call.
    pub(super) fn of(asked: &Asked, now: Timestamp) -> Result<Self, Refused> {
        let one = |symbol: &String| {
            let pair = PAIRS.into_iter().find(|[name, ..]| name == symbol);
            pair.map(Pair::new).ok_or_else(Refused::symbol)
        };
        let symbols = match asked {
            Asked::One(symbol) => vec![one(symbol)?],
            Asked::List(symbols) => symbols.iter().map(one).collect::<Result<_, _>>()?,
            Asked::All => PAIRS.into_iter().map(Pair::new).collect(),
        };
        Ok(Self {
            timezone: "UTC",
            server_time: now.as_millisecond(),
            rate_limits: json!([
                {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
            ]),
            exchange_filters: [],
            symbols,
        })
    }
}

impl Pair {
    fn new([symbol, base_asset, quote_asset]: [&'static str; 3]) -> Self {
        Self {
            symbol,
            status: "TRADING",
            base_asset,
            base_asset_precision: 8,
            quote_asset,
            quote_precision: 8,
            quote_asset_precision: 8,
            is_spot_trading_allowed: true,
            permissions: [],
        }
    }
}
