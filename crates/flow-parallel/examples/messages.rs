//! Messages and sums between the processes of MPI, looked at by each of them.
//!
//! `mpirun -n 4 target/release/examples/messages` ends with 0 if all was right.

use std::error::Error;
use std::io::Write;

use flow_parallel::{Alone, Group, Launch, Mpi, Tree, sum};

/// Numbers whose sum depends on its order, of a length that no number of processes divides.
fn part(k: usize, length: usize) -> Vec<f32> {
    (0..length).map(|i| ((k * 31 + i * 7) as f32).sin() * 10_f32.powi((k % 5) as i32)).collect()
}

fn summed(group: &dyn Group, parts: usize, length: usize) -> Result<Vec<u32>, Box<dyn Error>> {
    let mut own = Tree::default();
    group.share(parts).for_each(|k| own.push(k, part(k, length)));
    Ok(sum(group, parts, own)?.into_iter().map(f32::to_bits).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let launch = Launch::of_environment().ok_or("start it by mpirun")?;
    let group = Mpi::join(&launch)?;
    let (rank, size) = (group.rank(), group.size());
    assert_eq!((rank, size), (launch.rank, launch.size));

    let messages: Vec<Vec<u8>> = (0..size).map(|to| vec![rank as u8; 3 * to + rank]).collect();
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    for (from, message) in group.exchange(&messages)?.iter().enumerate() {
        assert_eq!(*message, vec![from as u8; 3 * rank + from]);
    }
    assert_eq!(group.broadcast(&[rank as u8 + 7])?, [7]);
    let told = group.collect(&[rank as u8])?;
    assert!(told.iter().enumerate().all(|(from, message)| match rank {
        0 => *message == [from as u8],
        _ => message.is_empty(),
    }));
    for (parts, length) in [(4, 1009), (8, 300_001), (12, 1)] {
        assert!(summed(&group, parts, length)? == summed(&Alone, parts, length)?);
    }
    group.barrier()?;
    if group.is_first() {
        writeln!(std::io::stdout(), "{size} processes agree")?;
    }
    group.leave();
    Ok(())
}
