//! What VCI sends. Numbers may come as strings.

use jiff::Timestamp;
use market::{AssetClass, Digits};
use serde::Deserialize;

use crate::{
    number::{Loose, Number},
    vietnam::board::{self, BoardRow, Numbers},
};

/// A row of `POST /api/price/symbols/getList`, as far as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed {
    pub(crate) listing_info: ListingInfo,
    #[serde(default)]
    pub(crate) bid_ask: Loose<BidAsk>,
    pub(crate) match_price: MatchPrice,
}

/// The share and its band.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListingInfo {
    #[serde(default)]
    pub(crate) ceiling: Number,
    #[serde(default)]
    pub(crate) floor: Number,
    #[serde(default)]
    pub(crate) ref_price: Number,
    /// `HSX`, `HNX` or `UPCOM`.
    #[serde(default)]
    pub(crate) board: Loose<String>,
    /// `STOCK`, `ETF` or `CW`.
    #[serde(default)]
    pub(crate) stock_type: Loose<String>,
}

/// The best levels of the order book, best first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BidAsk {
    #[serde(default)]
    pub(crate) bid_prices: Loose<Vec<Loose<Level>>>,
    #[serde(default)]
    pub(crate) ask_prices: Loose<Vec<Loose<Level>>>,
}

/// A level of the order book.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Level {
    /// A word for orders without a price: `ATO`, `ATC`, `PLO`, `MP`, `MTL`.
    #[serde(default)]
    pub(crate) price: Number,
}

/// The day's trades so far.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MatchPrice {
    /// 0 before the first trade.
    #[serde(deserialize_with = "board::last_price")]
    pub(crate) match_price: Option<Digits>,
    #[serde(default)]
    pub(crate) match_vol: Number,
    #[serde(default)]
    pub(crate) avg_match_price: Number,
    #[serde(default)]
    pub(crate) highest: Number,
    #[serde(default)]
    pub(crate) lowest: Number,
    #[serde(default)]
    pub(crate) accumulated_volume: Number,
    #[serde(default, deserialize_with = "board::time")]
    pub(crate) time: Option<Timestamp>,
}

impl From<Listed> for BoardRow {
    fn from(row: Listed) -> Self {
        let (info, trades) = (row.listing_info, row.match_price);
        let mut numbers = Numbers::default();
        let [bids, asks] = match numbers.if_any(row.bid_ask) {
            Some(levels) => [levels.bid_prices, levels.ask_prices],
            None => [Loose::Missing, Loose::Missing],
        };
        let [bid, ask] = [bids, asks].map(|levels| {
            let best = numbers.if_any(levels)?.into_iter().next()?;
            let price = numbers.if_any(best)?.price;
            numbers.positive(price)
        });
        Self {
            exchange: info.board.given().as_deref().and_then(board::exchange),
            asset_class: match info.stock_type {
                Loose::Missing => Some(AssetClass::Equity),
                kind => kind.given().as_deref().and_then(board::asset_class),
            },
            volume: numbers.positive(trades.match_vol),
            total_volume: numbers.total(trades.accumulated_volume, trades.match_price.as_ref()),
            last: trades.match_price,
            reference: numbers.always(info.ref_price),
            ceiling: numbers.always(info.ceiling),
            floor: numbers.always(info.floor),
            high: numbers.positive(trades.highest),
            low: numbers.positive(trades.lowest),
            average: numbers.positive(trades.avg_match_price),
            bid,
            ask,
            time: trades.time,
            incomplete: numbers.incomplete,
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
