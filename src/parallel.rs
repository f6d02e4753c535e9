//! Work that needs no order, side by side, with answers in order.

use std::{
    num::NonZero,
    panic::resume_unwind,
    sync::{Mutex, PoisonError},
    thread,
};

/// Does the same with each thing, on as many threads as there are processors; the answers are in the
/// order of the things.
pub fn each<T: Send, R: Send>(things: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let helpers = processors.min(things.len()).saturating_sub(1);
    if helpers == 0 {
        return things.into_iter().map(work).collect();
    }
    let queue = Mutex::new(things.into_iter().enumerate());
    let worker = || {
        let mut done = Vec::new();
        loop {
            // Nobody works while holding the lock: the queue is whole.
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((place, thing)) = next else { return done };
            done.push((place, work(thing)));
        }
    };
    let mut done = thread::scope(|scope| {
        // A system that gives no more threads has this one.
        let start = |_| thread::Builder::new().spawn_scoped(scope, worker).ok();
        let helpers: Vec<_> = (0..helpers).filter_map(start).collect();
        let mut done = worker();
        for helper in helpers {
            done.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, answer)| answer).collect()
}

/// Does two things at once; one after the other where the system gives no thread.
pub fn both<A, B: Send>(one: impl FnOnce() -> A, other: impl FnOnce() -> B + Send) -> (A, B) {
    both_by(thread::Builder::new(), one, other)
}

fn both_by<A, B: Send>(
    helper: thread::Builder,
    one: impl FnOnce() -> A,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    // A thread that was not made keeps nothing of what it was to do: it is taken from here.
    let other = Mutex::new(Some(other));
    let take = || other.lock().unwrap_or_else(PoisonError::into_inner).take();
    thread::scope(|scope| {
        let helper = helper.spawn_scoped(scope, || take().map(|other| other())).ok();
        let one = one();
        let done = helper.and_then(|h| h.join().unwrap_or_else(|panic| resume_unwind(panic)));
        let done = done.or_else(|| take().map(|other| other()));
        (one, done.expect("taken by the helper or here, and never by both"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_things() {
        let things: Vec<u64> = (0..100).collect();
        let slow_first = |n: u64| {
            thread::sleep(std::time::Duration::from_micros(100 - n));
            n * 2
        };
        assert_eq!(each(things, slow_first), (0..100).map(|n| n * 2).collect::<Vec<_>>());
        assert!(each(Vec::<u64>::new(), |n| n).is_empty());
        assert_eq!(both(|| 1, || 2), (1, 2));
    }

    #[test]
    fn both_are_done_where_no_thread_can_be_made() {
        // No system has a stack of that size.
        let none = || thread::Builder::new().stack_size(usize::MAX / 4);
        assert!(thread::scope(|scope| none().spawn_scoped(scope, || ()).is_err()));
        assert_eq!(both_by(none(), || 1, || 2), (1, 2));
    }
}
