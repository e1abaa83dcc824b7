//! The list prices of us-east-1 in US dollars, each with where it was found and how sure it is.

use serde::Serialize;

/// How sure a price is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Read on the service's own pricing page.
    PricingPage,
    /// Read in somebody else's text.
    ThirdParty,
    /// General knowledge: check it before you rely on it.
    Unconfirmed,
}

/// A list price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Price {
    /// What is sold.
    pub name: &'static str,
    /// US dollars for `per` units.
    pub dollars: f64,
    /// How many units that buys.
    pub per: f64,
    /// The unit, in the plural.
    pub unit: &'static str,
    /// The page that states it.
    pub source: &'static str,
    /// When it was looked up.
    pub seen: &'static str,
    /// How sure it is.
    pub status: Status,
}

impl Price {
    /// US dollars for `quantity` units.
    pub fn of(&self, quantity: f64) -> f64 {
        quantity * self.dollars / self.per
    }
}

const LAMBDA: &str = "aws.amazon.com/lambda/pricing";
const SCHEDULER: &str = "aws.amazon.com/eventbridge/pricing";
const S3: &str = "aws.amazon.com/s3/pricing";
const MSK: &str = "aws.amazon.com/msk/pricing";
const SEEN: &str = "2026-11-21";

const fn price(
    name: &'static str,
    (dollars, per, unit): (f64, f64, &'static str),
    source: &'static str,
    (seen, status): (&'static str, Status),
) -> Price {
    Price {
        name,
        dollars,
        per,
        unit,
        source,
        seen,
        status,
    }
}

const ON_PAGE: (&str, Status) = (SEEN, Status::PricingPage);
const BY_OTHERS: (&str, Status) = (SEEN, Status::ThirdParty);

/// A call of a function.
pub const LAMBDA_REQUEST: Price = price("Lambda request", (0.20, 1e6, "requests"), LAMBDA, ON_PAGE);
/// Time and memory of a function on arm64.
pub const LAMBDA_ARM64: Price = price(
    "Lambda duration, arm64",
    (0.000_013_333_4, 1.0, "GB-s"),
    LAMBDA,
    ON_PAGE,
);
/// Time and memory of a function on x86-64.
pub const LAMBDA_X86_64: Price = price(
    "Lambda duration, x86_64",
    (0.000_016_666_7, 1.0, "GB-s"),
    LAMBDA,
    ON_PAGE,
);
/// An event poller unit of a trigger in provisioned mode.
pub const EVENT_POLLER_UNIT: Price =
    price("Event poller unit", (0.185, 1.0, "hours"), LAMBDA, ON_PAGE);
/// A call by EventBridge Scheduler.
pub const SCHEDULER_CALL: Price = price(
    "EventBridge Scheduler",
    (1.00, 1e6, "calls"),
    SCHEDULER,
    ("2026-03", Status::ThirdParty),
);
/// A PUT to S3 Standard.
pub const S3_PUT: Price = price("S3 PUT", (0.005, 1e3, "requests"), S3, BY_OTHERS);
/// A page of a listing of S3 Standard.
pub const S3_LIST: Price = price("S3 LIST", (0.005, 1e3, "requests"), S3, BY_OTHERS);
/// A GET from S3 Standard.
pub const S3_GET: Price = price("S3 GET", (0.000_4, 1e3, "requests"), S3, BY_OTHERS);
/// A month in S3 Standard.
pub const S3_STORAGE: Price = price(
    "S3 storage",
    (0.023, 1.0, "GB-months"),
    S3,
    (SEEN, Status::Unconfirmed),
);
/// A cluster of MSK Serverless.
pub const MSK_CLUSTER: Price = price("MSK Serverless cluster", (0.75, 1.0, "hours"), MSK, ON_PAGE);
/// A partition of MSK Serverless.
pub const MSK_PARTITION: Price = price(
    "MSK Serverless partition",
    (0.001_5, 1.0, "hours"),
    MSK,
    ON_PAGE,
);
/// Data produced to MSK Serverless.
pub const MSK_IN: Price = price("MSK Serverless in", (0.10, 1.0, "GB"), MSK, ON_PAGE);
/// Data consumed from MSK Serverless.
pub const MSK_OUT: Price = price("MSK Serverless out", (0.05, 1.0, "GB"), MSK, ON_PAGE);
/// A month in MSK Serverless.
pub const MSK_STORAGE: Price = price(
    "MSK Serverless storage",
    (0.10, 1.0, "GB-months"),
    MSK,
    ON_PAGE,
);

const RDS: &str = "aws.amazon.com/rds/postgresql/pricing";
const AURORA: &str = "aws.amazon.com/rds/aurora/pricing";
const NOT_CONFIRMED: (&str, Status) = ("2026-11-28", Status::Unconfirmed);

/// A small instance of RDS in one zone.
pub const RDS_INSTANCE: Price = price(
    "RDS db.t4g.small, one zone",
    (0.032, 1.0, "hours"),
    RDS,
    NOT_CONFIRMED,
);
/// A month on a gp3 volume of RDS; 20 GB at least.
pub const RDS_STORAGE: Price = price(
    "RDS gp3 storage",
    (0.115, 1.0, "GB-months"),
    RDS,
    NOT_CONFIRMED,
);
/// A capacity unit of Aurora Serverless v2.
pub const AURORA_ACU: Price = price(
    "Aurora Serverless v2 ACU",
    (0.12, 1.0, "hours"),
    AURORA,
    NOT_CONFIRMED,
);
/// A month in Aurora's storage.
pub const AURORA_STORAGE: Price = price(
    "Aurora storage",
    (0.10, 1.0, "GB-months"),
    AURORA,
    NOT_CONFIRMED,
);

/// Every price.
pub const ALL: [Price; 18] = [
    LAMBDA_REQUEST,
    LAMBDA_ARM64,
    LAMBDA_X86_64,
    EVENT_POLLER_UNIT,
    SCHEDULER_CALL,
    S3_PUT,
    S3_LIST,
    S3_GET,
    S3_STORAGE,
    MSK_CLUSTER,
    MSK_PARTITION,
    MSK_IN,
    MSK_OUT,
    MSK_STORAGE,
    RDS_INSTANCE,
    RDS_STORAGE,
    AURORA_ACU,
    AURORA_STORAGE,
];
