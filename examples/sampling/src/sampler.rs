//! Counts bytes, and takes a sample whenever enough have come together.

use core::{
    cell::UnsafeCell,
    ffi::c_int,
    sync::atomic::{AtomicIsize, AtomicUsize, Ordering},
};

use crate::{chance::Chance, places, python};

#[link(name = "c")]
unsafe extern "C" {
    safe fn pthread_self() -> usize;
    safe fn sched_yield() -> c_int;
    safe fn __errno_location() -> *mut c_int;
}

/// Bytes from one sample to the next, on the average; 0 before the constructor has run, and when nobody asked.
static EVERY: AtomicIsize = AtomicIsize::new(0);

/// The thread that takes a sample, or forks; 0 if none does.
static OWNER: AtomicUsize = AtomicUsize::new(0);

/// What the sample that is being taken has allocated so far, less what it has freed.
static OWN: AtomicIsize = AtomicIsize::new(0);

struct Shared(UnsafeCell<Chance>);

// SAFETY: only whoever holds the lock looks at it.
unsafe impl Sync for Shared {}

static CHANCE: Shared = Shared(UnsafeCell::new(Chance(0)));

/// As long as there is one thread.
pub(crate) fn start(every: usize, seed: Option<u64>) {
    let every = isize::try_from(every).unwrap_or(isize::MAX);
    // SAFETY: nobody else is there yet.
    let chance = unsafe { &mut *CHANCE.0.get() };
    *chance = Chance(seed.unwrap_or_else(Chance::seed));
    for meter in [&ALLOCATED, &FREED] {
        meter.due.store(chance.distance(every), Ordering::Relaxed);
    }
    EVERY.store(every, Ordering::Relaxed);
}

pub(crate) fn is_on() -> bool {
    EVERY.load(Ordering::Relaxed) != 0
}

/// Bytes that went one way.
pub(crate) struct Meter {
    /// Counted since the last sample; negative while blocks that are not the program's are awaited.
    bytes: AtomicIsize,
    /// How many it takes to the next one.
    due: AtomicIsize,
    /// 1, or -1 for what is given back.
    sign: isize,
}

pub(crate) static ALLOCATED: Meter = Meter::new(1);
pub(crate) static FREED: Meter = Meter::new(-1);

impl Meter {
    const fn new(sign: isize) -> Meter {
        Meter { bytes: AtomicIsize::new(0), due: AtomicIsize::new(isize::MAX), sign }
    }

    /// The program's bytes; those of a sample are kept apart, so that none is sampled itself.
    pub(crate) fn count(&self, bytes: usize) {
        let bytes = bytes.cast_signed();
        let owner = OWNER.load(Ordering::Relaxed);
        if owner != 0 && owner == pthread_self() {
            OWN.fetch_add(bytes * self.sign, Ordering::Relaxed);
            return;
        }
        let so_far = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if so_far >= self.due.load(Ordering::Relaxed) {
            self.sample();
        }
    }

    #[cold]
    #[inline(never)]
    fn sample(&self) {
        // SAFETY: errno is this thread's own, and what is asked of Python may change it.
        let errno = unsafe { *__errno_location() };
        lock();
        let (so_far, due) = (self.bytes.load(Ordering::Relaxed), self.due.load(Ordering::Relaxed));
        // Another thread may have been faster.
        if so_far >= due {
            let every = EVERY.load(Ordering::Relaxed);
            // The byte that was sampled stands for so many, and each of the block's after it for itself: that is what
            // further samples in it would come to.
            let bytes = every + (so_far - due);
            // SAFETY: the lock is held.
            let distance = unsafe { (*CHANCE.0.get()).distance(every) };
            self.due.store(distance, Ordering::Relaxed);
            self.bytes.fetch_sub(so_far, Ordering::Relaxed);
            let line = python::current_line();
            let (file, number) = line.as_ref().map_or((&[][..], 0), |l| (l.file, l.number));
            places::add(file, number, bytes * self.sign);
            drop(line);
            // An object for the frame stays with Python, which will free it: not the program's either.
            FREED.bytes.fetch_sub(OWN.swap(0, Ordering::Relaxed), Ordering::Relaxed);
        }
        unlock();
        unsafe { *__errno_location() = errno };
    }
}

/// Never taken twice by one thread: whoever holds it is not sampled.
pub(crate) fn lock() {
    let me = pthread_self();
    while OWNER.compare_exchange_weak(0, me, Ordering::Acquire, Ordering::Relaxed).is_err() {
        sched_yield();
    }
}

pub(crate) fn unlock() {
    OWNER.store(0, Ordering::Release);
}
