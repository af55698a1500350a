//! How long one step of a matcher may take: masks and accepted tokens of some grammars take a second, and no count of what
//! they do tells which.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Duration;

/// Shared by its copies. One thread at a time steps.
#[derive(Clone, Debug, Default)]
pub struct Budget(Arc<Step>);

/// All in nanoseconds; 0 for none.
#[derive(Debug, Default)]
struct Step {
    limit: AtomicU64,
    began: AtomicU64,
    /// The thread's processor time when half of the limit had gone by.
    worked: AtomicU64,
    asked: AtomicU32,
}

impl Budget {
    /// A look at the clock is dear beside a check.
    const CHECKS_A_LOOK: u32 = 16;

    pub fn begin(&self, limit: Duration) {
        self.0.worked.store(0, Relaxed);
        self.0.began.store(monotonic_time(), Relaxed);
        self.0.limit.store(limit.as_nanos() as u64, Relaxed);
    }

    pub fn end(&self) {
        self.0.limit.store(0, Relaxed);
    }

    /// After half of the time only what the thread works counts: waiting for a processor is no fault of the grammar.
    #[inline(always)]
    pub(crate) fn is_spent(&self) -> bool {
        let limit = self.0.limit.load(Relaxed);
        if limit == 0 {
            return false;
        }
        let asked = self.0.asked.load(Relaxed);
        self.0.asked.store(asked.wrapping_add(1), Relaxed);
        asked % Self::CHECKS_A_LOOK == 0 && self.is_over(limit / 2)
    }

    #[inline(never)]
    fn is_over(&self, half: u64) -> bool {
        if monotonic_time() - self.0.began.load(Relaxed) < half {
            return false;
        }
        let now = thread_time();
        match self.0.worked.load(Relaxed) {
            0 => {
                self.0.worked.store(now, Relaxed);
                false
            }
            worked => now - worked >= half,
        }
    }
}

fn monotonic_time() -> u64 {
    time_of(if cfg!(target_os = "macos") { 6 } else { 1 })
}

fn thread_time() -> u64 {
    time_of(if cfg!(target_os = "macos") { 16 } else { 3 })
}

#[repr(C)]
struct Time {
    seconds: i64,
    nanos: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Time) -> i32;
}

fn time_of(clock: i32) -> u64 {
    let mut time = Time { seconds: 0, nanos: 0 };
    // SAFETY: `Time` is the C library's on 64-bit systems.
    unsafe { clock_gettime(clock, &mut time) };
    time.seconds as u64 * 1_000_000_000 + time.nanos as u64
}
