use std::collections::BTreeMap;

use super::Running;

/// The Finnhub token of the pipeline.
pub(super) const TOKEN: &str = "replay";

/// The stocks of the recording, FB among them as it was called then.
const STOCKS: &str = "AAPL@XNAS,FB@XNAS,GOOG@XNAS,IBM@XNYS,MSFT@XNAS";

/// The symbols whose trades are recorded.
const TRADES: &str = "BINANCE:BTCUSDT,BINANCE:ETHUSDT";

/// The Vietnamese tickers of the recording.
const TICKERS: &str = "ACB,BID,FPT,GAS,HPG,MWG,SSI,STB,VCB,VNM";

impl Running {
    /// What the parameters of the pipeline's template have to be for its pollers to ask this market, and for what it
    /// has recorded.
    pub fn parameters(&self) -> BTreeMap<String, String> {
        [
            ("FinnhubUrl", self.finnhub_url()),
            ("FinnhubTradesUrl", self.finnhub_trades_url()),
            ("FinnhubApiKey", TOKEN.to_owned()),
            ("BinanceUrl", self.binance_url()),
            ("VciUrl", self.vci_url()),
            ("KbsUrl", self.kbs_url()),
            ("DnseUrl", self.dnse_url()),
            ("StockSymbols", STOCKS.to_owned()),
            ("TradeSymbols", TRADES.to_owned()),
            ("VietnamSymbols", TICKERS.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}
