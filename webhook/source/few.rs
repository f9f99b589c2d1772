//! Many things to do, few at a time.

use futures_util::{StreamExt as _, future::join_all, stream};

/// Does all of them side by side, at most so many at a time; what came of them is in their order.
pub async fn join_few<F: Future>(
    all: impl IntoIterator<Item = F>,
    at_a_time: usize,
) -> Vec<F::Output> {
    let all: Vec<F> = all.into_iter().collect();
    if all.len() <= at_a_time {
        return join_all(all).await;
    }
    let numbered = all.into_iter().enumerate().map(|(at, one)| async move { (at, one.await) });
    let mut done: Vec<_> = stream::iter(numbered).buffer_unordered(at_a_time).collect().await;
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        time::{Duration, Instant},
    };

    use tokio::time::sleep;

    use super::*;

    #[tokio::test]
    async fn p8_few_at_a_time_and_in_their_order() {
        for at_a_time in [1, 3, 20] {
            let (now, most) = (Cell::new(0), Cell::new(0));
            let one = |number: u64| {
                let (now, most) = (&now, &most);
                async move {
                    now.set(now.get() + 1);
                    most.set(most.get().max(now.get()));
                    sleep(Duration::from_millis(10 - number)).await;
                    now.set(now.get() - 1);
                    number
                }
            };
            let done = join_few((0..10).map(one), at_a_time).await;
            assert_eq!(done, (0..10).collect::<Vec<_>>(), "{at_a_time}");
            assert_eq!(most.get(), at_a_time.min(10));
        }
    }

    /// One that takes its time keeps one place and no more.
    #[tokio::test]
    async fn p8_a_slow_one_does_not_hold_up_the_others() {
        let started = Instant::now();
        let last = Cell::new(Duration::ZERO);
        let one = |number: u64| {
            let last = &last;
            async move {
                sleep(Duration::from_millis(if number == 0 { 400 } else { 1 })).await;
                if number == 19 {
                    last.set(started.elapsed());
                }
            }
        };
        join_few((0..20).map(one), 2).await;
        assert!(last.get() < Duration::from_millis(300), "{:?}", last.get());
    }
}
