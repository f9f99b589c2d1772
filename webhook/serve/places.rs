//! Who is connected, and who goes when there is no place left.
//!
//! The API server keeps connections that it may never use again, and closing one of them may meet a
//! review on its way. So nobody is sent away for being silent, only for being in the way: first who
//! never asked anything, then who has been idle longest, and nobody who waits for an answer.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use futures_util::task::AtomicWaker;

/// The places of one listener. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Places {
    most: usize,
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    seats: HashMap<u64, Seat>,
    /// Those that could go, the first to go first.
    idle: BTreeMap<Turn, u64>,
    last: u64,
}

#[derive(Debug)]
struct Seat {
    /// None while a request is being answered.
    turn: Option<Turn>,
    door: Arc<Door>,
}

/// When it is whose turn to go: who never asked before who did, and then who came or was answered
/// first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Turn {
    Silent(u64),
    Answered(u64),
}

impl Places {
    /// For `most` connections at a time.
    pub fn new(most: usize) -> Self {
        Self { most, table: Arc::default() }
    }

    /// A place for a new connection, if need be that of another; `None` if each waits for an answer.
    pub fn take(&self) -> Option<Place> {
        let mut table = self.table();
        if table.seats.len() >= self.most {
            table.send_one_away()?;
        }
        let id = table.count();
        let door = Arc::new(Door::default());
        table.seats.insert(id, Seat { turn: None, door: Arc::clone(&door) });
        table.wait(id, Turn::Silent);
        drop(table);
        Some(Place { places: self.clone(), id, door })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn count(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn wait(&mut self, id: u64, turn: impl Fn(u64) -> Turn) {
        let turn = turn(self.count());
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.turn = Some(turn);
            self.idle.insert(turn, id);
        }
    }

    fn send_one_away(&mut self) -> Option<()> {
        let (_, id) = self.idle.pop_first()?;
        if let Some(seat) = self.seats.remove(&id) {
            seat.door.show();
        }
        Some(())
    }
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    id: u64,
    door: Arc<Door>,
}

impl Place {
    /// A request has come. Whoever was sent away at this very moment stays until it is answered.
    pub fn asked(&self) {
        let mut table = self.places.table();
        let door = Arc::clone(&self.door);
        let seat = table.seats.entry(self.id).or_insert(Seat { turn: None, door });
        if let Some(turn) = seat.turn.take() {
            table.idle.remove(&turn);
        }
        self.door.shown.store(false, Ordering::Relaxed);
    }

    /// The answer stands.
    pub fn answered(&self) {
        self.places.table().wait(self.id, Turn::Answered);
    }

    /// Whether to go now; else `waker` is woken when it is so.
    pub fn must_go(&self, waker: &Waker) -> bool {
        self.door.waker.register(waker);
        self.door.shown.load(Ordering::Acquire)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.places.table();
        if let Some(Seat { turn: Some(turn), .. }) = table.seats.remove(&self.id) {
            table.idle.remove(&turn);
        }
    }
}

#[derive(Debug, Default)]
struct Door {
    shown: AtomicBool,
    waker: AtomicWaker,
}

impl Door {
    fn show(&self) {
        self.shown.store(true, Ordering::Release);
        self.waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_never_asked_goes_first_then_who_is_idle_longest_and_nobody_who_waits() {
        let places = Places::new(4);
        let gone = |place: &Place| place.must_go(Waker::noop());
        let [early, late, waiting, silent] = [0; 4].map(|_| places.take().unwrap());
        for (place, answered) in [(&late, true), (&early, true), (&late, true), (&waiting, false)] {
            place.asked();
            if answered {
                place.answered();
            }
        }
        let all = [&early, &late, &waiting, &silent];
        let mut others = Vec::new();
        for (taken, want) in [
            (1, [false, false, false, true]),
            (2, [true, false, false, true]),
            (3, [true, true, false, true]),
        ] {
            let next = places.take().expect("a place");
            next.asked();
            others.push(next);
            assert_eq!(all.map(gone), want, "after {taken}");
        }
        assert!(places.take().is_none(), "all wait for an answer");
        drop(silent);
        assert!(places.take().is_none(), "who was sent away has no place to leave");
        waiting.answered();
        assert!(places.take().is_some());
        assert!(gone(&waiting));
    }

    #[test]
    fn a_request_that_came_in_time_keeps_its_connection() {
        let places = Places::new(1);
        let kept = places.take().unwrap();
        let next = places.take().unwrap();
        assert!(kept.must_go(Waker::noop()));
        kept.asked();
        assert!(!kept.must_go(Waker::noop()));
        drop(next);
        assert!(places.take().is_none(), "it has its place again");
        drop(kept);
        assert!(places.take().is_some());
    }
}
