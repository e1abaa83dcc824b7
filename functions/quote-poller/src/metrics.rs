//! The metrics that the poller emits.

use runtime::metrics::Metric;

/// Quotes, series of bars and trades that a provider answered with.
pub const QUOTES_POLLED: Metric = Metric::count("QuotesPolled");

/// Those that the broker acknowledged.
pub const QUOTES_PUBLISHED: Metric = Metric::count("QuotesPublished");

/// What was asked for and not published, whatever the reason.
pub const QUOTES_FAILED: Metric = Metric::count("QuotesFailed");

/// Cycles left out because an earlier one overran the beat, or the invocation came too late for them.
pub const CYCLES_SKIPPED: Metric = Metric::count("CyclesSkipped");

/// How long the brokers took to acknowledge a quote, one value per quote.
pub const PUBLISH_MILLISECONDS: Metric = Metric::milliseconds("PublishMilliseconds");

/// Weight that is spent of a provider's longest budget window.
pub const BUDGET_SPENT: Metric = Metric::count("BudgetSpent").by("provider");

/// Weight that this window allows.
pub const BUDGET_LIMIT: Metric = Metric::count("BudgetLimit").by("provider");

/// How often a stream of trades was connected.
pub const STREAM_CONNECTIONS: Metric = Metric::count("StreamConnections");

/// How long a stream of trades was not connected.
pub const STREAM_GAP_MILLISECONDS: Metric = Metric::milliseconds("StreamGapMilliseconds");

/// Every one of them.
pub const ALL: [Metric; 9] = [
    QUOTES_POLLED,
    QUOTES_PUBLISHED,
    QUOTES_FAILED,
    CYCLES_SKIPPED,
    PUBLISH_MILLISECONDS,
    BUDGET_SPENT,
    BUDGET_LIMIT,
    STREAM_CONNECTIONS,
    STREAM_GAP_MILLISECONDS,
];
