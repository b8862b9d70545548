//! Messages between processes, and sums that do not depend on their number.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::thread;

use flow_parallel::{Alone, Group, GroupError, Member, Tree, sum, threads};

/// What each of `size` processes returns, by rank.
fn each<T: Send>(size: usize, work: impl Fn(Member) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let work = &work;
        let started: Vec<_> =
            threads(size).into_iter().map(|member| scope.spawn(move || work(member))).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Numbers whose sum depends on its order, of a length that no number of processes divides.
fn part(k: usize) -> Vec<f32> {
    (0..1009).map(|i| ((k * 31 + i * 7) as f32).sin() * 10_f32.powi((k % 5) as i32)).collect()
}

fn summed(group: &dyn Group, parts: usize) -> Vec<u32> {
    let mut own = Tree::default();
    group.share(parts).for_each(|k| own.push(k, part(k)));
    sum(group, parts, own).unwrap().into_iter().map(f32::to_bits).collect()
}

#[test]
fn sums_have_the_same_bits_for_any_number_of_processes() {
    for parts in [4, 5, 8, 12] {
        let expected = summed(&Alone, parts);
        for size in 1..=4 {
            for bits in each(size, |member| summed(&member, parts)) {
                assert!(bits == expected, "{parts} parts in {size} processes");
            }
        }
    }
}

#[test]
fn a_sum_whose_order_follows_the_processes_is_told() {
    // The control: each process adds up its own parts one by one, as an all-reduce does.
    let own_first = |group: &dyn Group| -> Vec<u32> {
        let added = |mut a: Vec<f32>, b: Vec<f32>| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            a
        };
        let own = group.share(8).map(part).reduce(added).unwrap();
        let all = group.gather(bytemuck::cast_slice(&own)).unwrap();
        let numbers = |bytes: &Vec<u8>| -> Vec<f32> {
            bytes.as_chunks().0.iter().map(|&bytes| f32::from_ne_bytes(bytes)).collect()
        };
        all.iter().map(numbers).reduce(added).unwrap().into_iter().map(f32::to_bits).collect()
    };
    let expected = own_first(&Alone);
    assert!(each(2, |member| own_first(&member)).iter().any(|bits| *bits != expected));
}

#[test]
fn messages_arrive_where_they_are_sent() {
    for size in 1..=4 {
        let said = each(size, |member| {
            let rank = member.rank() as u8;
            let messages: Vec<Vec<u8>> = (0..size).map(|to| vec![rank; to + 1]).collect();
            let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
            let exchanged = member.exchange(&messages).unwrap();
            let told = member.broadcast(&[rank + 7]).unwrap();
            let collected = member.collect(&[rank]).unwrap();
            member.barrier().unwrap();
            (exchanged, told, collected)
        });
        for (rank, (exchanged, told, collected)) in said.into_iter().enumerate() {
            let expected: Vec<Vec<u8>> = (0..size).map(|from| vec![from as u8; rank + 1]).collect();
            assert_eq!(exchanged, expected);
            assert_eq!(told, [7], "the first process speaks");
            let heard = |from| if rank == 0 { vec![from as u8] } else { Vec::new() };
            assert_eq!(collected, (0..size).map(heard).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_process_that_ends_is_named() {
    let ends = each(3, |member| {
        member.barrier().unwrap();
        if member.rank() == 1 { None } else { Some(member.barrier().unwrap_err()) }
    });
    assert_eq!(ends[0], Some(GroupError::Gone { rank: 1, size: 3 }));
    let text = ends[0].as_ref().unwrap().to_string();
    assert_eq!(text, "process 1 of 3 has ended, which the others cannot go on without");
}

#[test]
fn a_process_with_other_numbers_is_named() {
    let errors = each(2, |member| {
        let mut own = Tree::default();
        // The second process has one number more.
        member.share(2).for_each(|k| own.push(k, vec![1.0; 6 + 2 * k]));
        sum(&member, 2, own).unwrap_err()
    });
    let text = errors[0].to_string();
    assert!(text.contains("process 1 of 2 sent 16 bytes of gradients where 12 belong"), "{text}");
}
