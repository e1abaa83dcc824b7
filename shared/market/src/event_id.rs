use sha2::{Digest, Sha256};

use crate::Quote;

/// The id of a quote: the same quote gives the same id, however often it is fetched.
///
/// The first 32 lower-case hex digits of the SHA-256 of these lines in UTF-8, each followed by a line
/// feed: the source, the symbol, the event time in epoch milliseconds, then the provider's digits as
/// sent, empty where there are none.
/// - `finnhub`: `c d dp h l o pc`
/// - `binance`: `lastPrice openPrice highPrice lowPrice volume quoteVolume count priceChange
///   priceChangePercent`
pub fn event_id(quote: &Quote) -> String {
    let mut hash = Sha256::new();
    let mut line = |text: &str| {
        hash.update(text);
        hash.update("\n");
    };
    let event_time = quote.event_time().as_millisecond().to_string();
    match quote {
        Quote::Finnhub(quote) => {
            line("finnhub");
            line(quote.symbol.as_str());
            line(&event_time);
            line(quote.current.as_str());
            line(quote.change.as_ref().map_or("", |change| change.as_str()));
            line(
                quote
                    .percent_change
                    .as_ref()
                    .map_or("", |percent| percent.as_str()),
            );
            line(quote.high.as_str());
            line(quote.low.as_str());
            line(quote.open.as_str());
            line(quote.previous_close.as_str());
        }
        Quote::Binance(ticker) => {
            line("binance");
            line(ticker.symbol.as_str());
            line(&event_time);
            line(ticker.last_price.as_str());
            line(ticker.open_price.as_str());
            line(ticker.high_price.as_str());
            line(ticker.low_price.as_str());
            line(ticker.volume.as_str());
            line(ticker.quote_volume.as_str());
            line(&ticker.trades.to_string());
            line(ticker.price_change.as_str());
            line(ticker.price_change_percent.as_str());
        }
    }
    let id = hash
        .finalize()
        .iter()
        .take(16)
        .fold(0_u128, |id, byte| (id << 8) | u128::from(*byte));
    format!("{id:032x}")
}
