//! What asks the tool to end: Ctrl-C, a system that ends it, a terminal that is closed.

use std::{fs, io, pin::pin};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The signals that a command finishes its work at.
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Option<Signal>,
}

impl Interrupts {
    pub(crate) fn listen() -> io::Result<Self> {
        let hang_up = match ignores_hang_up() {
            true => None,
            false => Some(signal(SignalKind::hangup())?),
        };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up,
        })
    }

    /// Waits for the next of them.
    pub(crate) async fn next(&mut self) {
        let Self {
            interrupt,
            terminate,
            hang_up,
        } = self;
        let hung_up = async {
            match hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hung_up => {}
        }
    }

    /// What comes of `work`; nothing if one of them comes first.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.next() => None,
        }
    }

    /// What comes of `work`, which the first of them tells by `stop` to finish what is in hand; nothing if a second comes.
    pub(crate) async fn or_finished<T>(
        &mut self,
        work: impl Future<Output = T>,
        stop: &CancellationToken,
    ) -> Option<T> {
        let mut work = pin!(work);
        match self.or(&mut work).await {
            Some(done) => Some(done),
            None => {
                stop.cancel();
                self.or(work).await
            }
        }
    }
}

/// Whether this process was started to outlive its terminal, as by `nohup`.
fn ignores_hang_up() -> bool {
    // No other system tells; there a terminal that is closed ends the tool.
    fs::read_to_string("/proc/self/status").is_ok_and(|status| is_ignored(&status, 1))
}

/// Whether the process of this `/proc/PID/status` ignores a signal.
fn is_ignored(status: &str, number: u32) -> bool {
    let mut masks = status
        .lines()
        .filter_map(|line| line.strip_prefix("SigIgn:"));
    let mask = masks
        .next()
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (number - 1)) != 0)
}

#[cfg(test)]
mod tests {
    use super::is_ignored;

    #[test]
    fn a_mask_of_signals_tells_which_are_ignored() {
        let status = |mask| format!("SigBlk:\t0000000000000001\nSigIgn:\t{mask}\n");
        assert!(is_ignored(&status("0000000000000001"), 1));
        assert!(is_ignored(&status("0000000000001001"), 1));
        assert!(!is_ignored(&status("0000000000001000"), 1));
        assert!(!is_ignored(&status("none"), 1));
        assert!(!is_ignored("", 1));
    }
}
