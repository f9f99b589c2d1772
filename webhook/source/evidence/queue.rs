//! Turns on the threads that read evidence and check its signatures.
//!
//! Anybody may hang much on an image of their own and name it. So the next turn is for the
//! repository that has the fewest, and of these for what is smallest: the usual signature waits for
//! what is being read, never for all that is to be read. Who waits gets smaller with time, or many
//! repositories with something small could keep what is large waiting for ever.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use crate::{name::Repository, source::Deadline};

/// Who waits for a turn, and who has one. Clones are the same queue.
#[derive(Clone)]
pub struct Queue(Arc<Mutex<State>>);

/// Leave to work; it is given back by dropping it.
pub struct Turn {
    queue: Queue,
    of: Repository,
}

struct State {
    began: Instant,
    free: usize,
    working: HashMap<Repository, usize>,
    waiting: Vec<Waiting>,
}

struct Waiting {
    of: Repository,
    /// Its size, and the more the later it came.
    rank: u128,
    call: oneshot::Sender<Turn>,
}

impl Queue {
    /// So many may work at a time.
    pub fn new(threads: usize) -> Self {
        let (working, waiting) = (HashMap::new(), Vec::new());
        let state = State { began: Instant::now(), free: threads, working, waiting };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Waits until something of `size` bytes that hangs on an image of `of` may be worked on; `None`
    /// if that was not before the deadline. Nobody works for who has given up waiting.
    pub async fn turn(&self, of: &Repository, size: usize, deadline: Deadline) -> Option<Turn> {
        let (call, called) = oneshot::channel();
        {
            let mut state = self.lock();
            let rank = size as u128 + state.began.elapsed().as_millis() * SHRINKS;
            state.waiting.push(Waiting { of: of.clone(), rank, call });
        }
        self.call();
        timeout_at(deadline.instant().into(), called).await.ok()?.ok()
    }

    /// Gives what is free to whoever is next.
    fn call(&self) {
        while let Some(Waiting { of, call, .. }) = self.next() {
            // Who has gone meanwhile gives it back by dropping it.
            drop(call.send(Turn { queue: self.clone(), of }));
        }
    }

    fn next(&self) -> Option<Waiting> {
        let mut state = self.lock();
        state.waiting.retain(|waiting| !waiting.call.is_closed());
        if state.free == 0 {
            return None;
        }
        let turns = |of: &Repository| state.working.get(of).copied().unwrap_or_default();
        let numbered = state.waiting.iter().enumerate();
        let next = numbered.min_by_key(|(at, one)| (turns(&one.of), one.rank, *at));
        let at = next.map(|(at, _)| at)?;
        let next = state.waiting.remove(at);
        state.free -= 1;
        *state.working.entry(next.of.clone()).or_default() += 1;
        Some(next)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        {
            let mut state = self.queue.lock();
            state.free += 1;
            if let Some(turns) = state.working.get_mut(&self.of) {
                *turns -= 1;
                if *turns == 0 {
                    state.working.remove(&self.of);
                }
            }
        }
        self.queue.call();
    }
}

/// Bytes in a millisecond: the largest pieces are waited for by what comes a second later.
const SHRINKS: u128 = 8 * 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;

    use super::*;

    fn repository(name: &str) -> Repository {
        format!("registry.example/{name}").parse().unwrap()
    }

    #[tokio::test]
    async fn p8_the_next_is_of_who_has_least_and_the_smallest() {
        let queue = Queue::new(1);
        let deadline = Deadline::after(Duration::from_secs(20));
        let first = queue.turn(&repository("greedy"), 1, deadline).await.unwrap();
        let order = Mutex::new(Vec::new());
        let asked = [("greedy", 9), ("greedy", 8), ("usual", 3), ("other", 5), ("gone", 1)];
        let asked = asked.map(|(name, size)| (name, size << 20)).map(|(name, size)| {
            let (queue, order) = (&queue, &order);
            async move {
                let soon = Deadline::after(Duration::from_millis(5));
                let deadline = if name == "gone" { soon } else { deadline };
                let turn = queue.turn(&repository(name), size, deadline).await;
                order.lock().unwrap().push(format!("{name} {} {}", size >> 20, turn.is_some()));
            }
        });
        let release = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(first);
        };
        tokio::join!(join_all(asked), release);
        let want =
            ["gone 1 false", "usual 3 true", "other 5 true", "greedy 8 true", "greedy 9 true"];
        assert_eq!(*order.lock().unwrap(), want);
        let state = queue.lock();
        assert_eq!((state.free, state.working.len(), state.waiting.len()), (1, 0, 0));
    }

    #[tokio::test]
    async fn p8_what_is_large_waits_for_what_came_before_it_and_little_more() {
        let queue = Queue::new(1);
        let deadline = Deadline::after(Duration::from_secs(20));
        let first = queue.turn(&repository("first"), 1, deadline).await.unwrap();
        let order = Mutex::new(Vec::new());
        let asked = [("large", 2 << 20, 0), ("soon", 1, 20), ("late", 1, 600)];
        let asked = asked.map(|(name, size, after)| {
            let (queue, order) = (&queue, &order);
            async move {
                tokio::time::sleep(Duration::from_millis(after)).await;
                let turn = queue.turn(&repository(name), size, deadline).await;
                order.lock().unwrap().push(name);
                drop(turn);
            }
        });
        let release = async {
            tokio::time::sleep(Duration::from_millis(900)).await;
            drop(first);
        };
        tokio::join!(join_all(asked), release);
        assert_eq!(*order.lock().unwrap(), ["soon", "large", "late"]);
    }

    #[tokio::test]
    async fn p8_one_repository_is_passed_over_while_others_wait() {
        let queue = Queue::new(2);
        let deadline = Deadline::after(Duration::from_secs(20));
        let (greedy, usual) = (repository("greedy"), repository("usual"));
        let mut held = vec![
            queue.turn(&greedy, 1, deadline).await.unwrap(),
            queue.turn(&greedy, 1, deadline).await.unwrap(),
        ];
        let (small, large) = tokio::join!(
            async {
                let turn = queue.turn(&greedy, 1, Deadline::after(Duration::from_millis(50))).await;
                turn.is_some()
            },
            async {
                held.pop();
                queue.turn(&usual, 1_000_000, deadline).await.is_some()
            },
        );
        assert!(large);
        assert!(small, "and then again, since nobody else waits");
    }
}
