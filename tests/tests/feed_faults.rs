//! Every fault of a provider, beside jobs of providers without one: each job keeps its beat, and everything that it
//! asked for is published or in its answer with a reason.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use ::stream::{
    Position,
    publish::{Publish, PublishError},
};
use feeds::FeedSettings;
use futures::{StreamExt, future::join_all, stream::iter};
use market_server::{Fault, Provider, Running, Settings, Times};
use quote_poller::{Poller, Report};
use runtime::{Environment, Invocation, clock};
use serde_json::{json, value::to_raw_value};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long each fault lasts, in seconds; CI takes a minute.
const SECONDS: &str = "QUOTELAKE_FAULT_SECONDS";

/// How many faults are tried at once.
const AT_ONCE: usize = 12;

/// What a process may grow by in the second half of a minute, in KiB.
const GROWTH: u64 = 16 << 10;

/// Takes every record.
#[derive(Default)]
struct Taken(AtomicU64);

impl Publish for Taken {
    async fn publish(
        &self,
        _topic: &str,
        _key: &str,
        _value: &[u8],
        _until: Instant,
    ) -> Result<Position, PublishError> {
        let offset = self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Position {
            partition: 0,
            offset: i64::try_from(offset).unwrap(),
        })
    }

    fn abandon(&self) {}
}

/// A job, and what it takes from each provider.
struct Job {
    topic: &'static str,
    feed: &'static str,
    dataset: &'static str,
    symbols: &'static [&'static str],
    /// Symbols that nobody knows.
    unknown: u64,
    beat: u64,
    asks: Provider,
}

const JOBS: [Job; 6] = [
    Job {
        topic: "stock-quotes",
        feed: "finnhub",
        dataset: "quotes",
        symbols: &["AAPL", "GOOG", "NOPE", "IBM"],
        unknown: 1,
        beat: 6,
        asks: Provider::Finnhub,
    },
    Job {
        topic: "crypto-prices",
        feed: "binance",
        dataset: "quotes",
        symbols: &["BTCUSDT", "NOPEUSDT", "ETHUSDT"],
        unknown: 1,
        beat: 1,
        asks: Provider::Binance,
    },
    Job {
        topic: "stock-prices",
        feed: "vietnam",
        dataset: "quotes",
        symbols: &["FPT", "VCB", "HPG"],
        unknown: 0,
        beat: 2,
        asks: Provider::Vci,
    },
    Job {
        topic: "stock-intraday",
        feed: "vietnam",
        dataset: "intraday-bars",
        symbols: &["FPT", "VCB"],
        unknown: 0,
        beat: 3,
        asks: Provider::Vci,
    },
    Job {
        topic: "stock-board",
        feed: "vietnam",
        dataset: "board",
        symbols: &["FPT", "VCB"],
        unknown: 0,
        beat: 3,
        asks: Provider::Vci,
    },
    Job {
        topic: "trades_raw",
        feed: "finnhub",
        dataset: "trades",
        symbols: &["BINANCE:BTCUSDT", "BINANCE:ETHUSDT"],
        unknown: 0,
        beat: 1,
        asks: Provider::FinnhubTrades,
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fault_of_one_provider_costs_no_other_its_beat_and_everything_missing_has_a_reason() {
    let time = Environment::of_process().secret(SECONDS);
    let time = Duration::from_secs(time.map_or(6, |seconds| seconds.parse().unwrap()));
    let http = [
        "latency=8s",
        "429",
        "418=120s",
        "500",
        "html",
        "truncated",
        "empty",
        "frozen",
        "reset",
    ];
    let trades = [
        // Longer than a connection may take to open.
        "latency=12s",
        "429",
        "500",
        "html",
        "reset",
        "truncated",
        "empty",
        "frozen",
        "drop=1s",
    ];
    let faults = [Provider::Finnhub, Provider::Binance, Provider::Vci]
        .into_iter()
        .flat_map(|provider| http.map(|fault| (provider, fault)))
        .chain(trades.map(|fault| (Provider::FinnhubTrades, fault)));
    let run = iter(faults)
        .map(|(provider, fault)| again(provider, fault, time))
        .buffer_unordered(AT_ONCE)
        .for_each(|()| async {});
    if time < Duration::from_mins(1) {
        return run.await;
    }
    let grown = async {
        tokio::time::sleep(time / 2).await;
        let half = resident();
        tokio::time::sleep(time / 2).await;
        resident().saturating_sub(half)
    };
    let ((), grown) = tokio::join!(run, grown);
    assert!(grown < GROWTH, "{grown} KiB more");
}

/// Beats may be lost twice, because what a busy machine costs once, a fault costs every time.
async fn again(provider: Provider, fault: &str, time: Duration) {
    for _ in 0..2 {
        if under(provider, fault, time).await.is_ok() {
            return;
        }
    }
    under(provider, fault, time).await.unwrap();
}

/// Every job for `time`, with a fault of one provider.
///
/// # Errors
/// The first report of a job that the fault is none of and that lost more of its beats, or of its answers, than a busy
/// machine explains.
async fn under(provider: Provider, fault: &str, time: Duration) -> Result<(), String> {
    let tokens = JOBS.iter().map(|job| job.topic.to_owned()).collect();
    let market = market_server::start(Settings {
        port: 0,
        times: Times::Now,
        speed: 1.0,
        tokens,
    })
    .await
    .unwrap();
    market.set_fault(provider, Some(Fault::read(provider, fault).unwrap()));
    let reports = join_all(JOBS.iter().map(|job| run(job, &market, time))).await;
    market.stop().await;
    let mut is_late = Ok(());
    for (job, report) in JOBS.iter().zip(reports) {
        let of = format!("{} under {provider}={fault}: {report:?}", job.topic);
        let failed: u64 = report.failed.iter().map(|failed| failed.count).sum();
        assert_eq!(report.published, report.polled, "{of}");
        let cycles = time.as_secs() / job.beat;
        // A machine that is busy may cost a cycle now and then; a fault that did would cost one after another.
        let lost_to_load = (cycles / 2).min(2 + cycles / 10);
        if job.dataset == "trades" {
            check_trades(job.asks == provider, fault, &report, &of);
        } else {
            assert_eq!(report.cycles + report.skipped_cycles, cycles, "{of}");
            if report.skipped_cycles > lost_to_load && job.asks != provider {
                is_late = Err(of.clone());
            }
            let asked = report.cycles * u64::try_from(job.symbols.len()).unwrap();
            assert_eq!(report.polled + failed, asked, "{of}");
        }
        // The Vietnamese feed has other sources than the one that fails.
        let is_struck = job.asks == provider && provider != Provider::Vci;
        if !is_struck {
            let unknown = report.cycles * job.unknown;
            let known = u64::try_from(job.symbols.len()).unwrap() - job.unknown;
            assert!(failed >= unknown, "{of}");
            if failed > unknown + lost_to_load * known {
                is_late = Err(of.clone());
            }
        } else if !matches!(fault, "frozen" | "drop=1s") && job.dataset != "trades" {
            assert_eq!(report.polled, 0, "{of}");
        }
    }
    is_late
}

fn check_trades(is_struck: bool, fault: &str, report: &Report, of: &str) {
    let stream = report.stream.unwrap();
    match (is_struck, fault) {
        (false, _) => assert!(report.polled > 0 && stream.connections == 1, "{of}"),
        (true, "drop=1s") => {
            assert!(report.polled > 0 && stream.connections > 1, "{of}");
            assert!(stream.gap_ms > 0, "{of}");
        }
        // Connected, and nothing comes, or nothing new.
        (true, "empty") => assert_eq!(report.polled, 0, "{of}"),
        (true, "frozen") => assert!(report.polled <= 2, "{of}"),
        (true, _) => assert!(report.polled == 0 && !report.failed.is_empty(), "{of}"),
    }
}

/// The job in an environment of its own.
async fn run(job: &Job, market: &Running, time: Duration) -> Report {
    let values = [
        ("FINNHUB_API_KEY", job.topic.to_owned()),
        ("FINNHUB_URL", market.finnhub_url()),
        ("FINNHUB_TRADES_URL", market.finnhub_trades_url()),
        ("BINANCE_URL", market.binance_url()),
        ("VCI_URL", market.vci_url()),
        ("KBS_URL", market.kbs_url()),
        ("DNSE_URL", market.dnse_url()),
    ];
    let environment = Environment::from_iter(values);
    let lookup = move |name: &str| environment.secret(name);
    let poller = Poller::new(FeedSettings::new(lookup, None, clock::now));
    let input = json!({"feed": job.feed, "dataset": job.dataset, "symbols": job.symbols, "topic": job.topic,
        "beat_seconds": job.beat, "budget_seconds": time.as_secs()});
    let invocation = Invocation {
        deadline: Instant::now() + time + Duration::from_secs(30),
        stop: CancellationToken::new(),
    };
    let input = to_raw_value(&input).unwrap();
    poller
        .handle(&Taken::default(), &input, &invocation)
        .await
        .unwrap()
}

/// The memory of this process that is in use, in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.trim().parse().ok())
        .unwrap_or_default()
}
