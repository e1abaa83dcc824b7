//! What VCI sends. Numbers may come as strings.

use jiff::Timestamp;
use market::Digits;
use serde::Deserialize;

use crate::vietnam::board::{self, BoardRow};

/// A row of `POST /api/price/symbols/getList`, as far as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed {
    pub(crate) listing_info: ListingInfo,
    pub(crate) bid_ask: Option<BidAsk>,
    pub(crate) match_price: MatchPrice,
}

/// The share and its band.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListingInfo {
    pub(crate) ceiling: Digits,
    pub(crate) floor: Digits,
    pub(crate) ref_price: Digits,
    /// `HSX`, `HNX` or `UPCOM`.
    pub(crate) board: Option<String>,
}

/// The best levels of the order book, best first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BidAsk {
    pub(crate) bid_prices: Option<Vec<Level>>,
    pub(crate) ask_prices: Option<Vec<Level>>,
}

/// A level of the order book.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Level {
    #[serde(deserialize_with = "board::positive")]
    pub(crate) price: Option<Digits>,
}

/// The day's trades so far.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MatchPrice {
    /// 0 before the first trade.
    #[serde(deserialize_with = "board::positive")]
    pub(crate) match_price: Option<Digits>,
    #[serde(default, deserialize_with = "board::positive")]
    pub(crate) match_vol: Option<Digits>,
    #[serde(default, deserialize_with = "board::positive")]
    pub(crate) avg_match_price: Option<Digits>,
    #[serde(default, deserialize_with = "board::positive")]
    pub(crate) highest: Option<Digits>,
    #[serde(default, deserialize_with = "board::positive")]
    pub(crate) lowest: Option<Digits>,
    #[serde(deserialize_with = "board::volume")]
    pub(crate) accumulated_volume: Digits,
    #[serde(default, deserialize_with = "board::time")]
    pub(crate) time: Option<Timestamp>,
}

impl From<Listed> for BoardRow {
    fn from(row: Listed) -> Self {
        let best = |levels: Option<Vec<Level>>| levels?.into_iter().next()?.price;
        let (bids, asks) = row
            .bid_ask
            .map(|levels| (levels.bid_prices, levels.ask_prices))
            .unwrap_or_default();
        let (info, trades) = (row.listing_info, row.match_price);
        Self {
            exchange: info.board.as_deref().and_then(board::exchange),
            last: trades.match_price,
            volume: trades.match_vol,
            total_volume: trades.accumulated_volume,
            reference: info.ref_price,
            ceiling: info.ceiling,
            floor: info.floor,
            high: trades.highest,
            low: trades.lowest,
            average: trades.avg_match_price,
            bid: best(bids),
            ask: best(asks),
            time: trades.time,
        }
    }
}

/// A record of `GET /api/price/symbols/getAll`, as far as it is used.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Security {
    /// `HSX`, `HNX`, `UPCOM`, `DELISTED`, `BOND`.
    pub(crate) board: String,
    /// `STOCK`, `ETF`, `CW`, `BOND`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
}
