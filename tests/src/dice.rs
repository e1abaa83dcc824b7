//! Chance that can be had again.

use std::io::{Write, stderr};

use rand::{SeedableRng, rngs::StdRng};
use runtime::{Environment, clock};

/// The variable that asks for the chance of an earlier run.
pub const SEED: &str = "QUOTELAKE_SEED";

/// The chance of one test: another in each run, and named if the test fails.
pub struct Dice(u64);

impl Dice {
    /// New ones, or those that the environment asks for.
    pub fn take() -> Self {
        let asked = Environment::of_process().secret(SEED);
        let new = || u64::try_from(clock::now().as_nanosecond()).unwrap();
        Self(asked.map_or_else(new, |seed| seed.parse().unwrap()))
    }

    /// A generator; each number has its own.
    pub fn generator(&self, number: u64) -> StdRng {
        StdRng::seed_from_u64(self.0.wrapping_add(number))
    }
}

impl Drop for Dice {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(stderr(), "set {SEED}={} to throw the same again", self.0);
        }
    }
}
