/// The codes of the exchanges outside the United States, which stand after the last point of a symbol.
///
/// Those that Finnhub lists for `GET /stock/symbol`
/// (<https://docs.google.com/spreadsheets/d/1I3pBxjfXB056-g_JYf_6o3Rns3BV2kMGG1nCatb91ls>, without `US`; by a copy of
/// January 2024), and below them those that only Yahoo has (<https://help.yahoo.com/kb/SLN2310.html>), futures exchanges
/// too.
#[rustfmt::skip]
const EXCHANGES: &[&str] = &[
    "AD", "AQ", "AS", "AT", "AX", "BA", "BC", "BD", "BE", "BH", "BK", "BO", "BR", "CA", "CN", "CO", "CR", "CS", "DB",
    "DE", "DS", "DU", "F", "HA", "HE", "HK", "HM", "IC", "IR", "IS", "JK", "JO", "KL", "KQ", "KS", "KW", "L", "LN",
    "LS", "MC", "ME", "MI", "MU", "MX", "NE", "NL", "NS", "NZ", "OL", "PA", "PM", "PR", "QA", "RG", "SA", "SC", "SG",
    "SI", "SL", "SN", "SR", "SS", "ST", "SW", "SX", "SZ", "T", "TA", "TG", "TL", "TO", "TU", "TW", "TWO", "V", "VI",
    "VN", "VS", "WA", "XA",

    "BM", "CBT", "CME", "CMX", "IL", "NX", "NYB", "NYM", "SAU", "TI",
];

/// Whether a symbol's last suffix is an exchange outside the United States.
pub(super) fn is_foreign(symbol: &str) -> bool {
    symbol
        .rsplit_once('.')
        .is_some_and(|(_, suffix)| EXCHANGES.contains(&suffix.to_ascii_uppercase().as_str()))
}
