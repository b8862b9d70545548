//! Messages between the processes that share a run.

use std::error::Error;
use std::path::{Path, PathBuf};

use flow_train::Group;

use crate::error::{RunError, sentence, usage};

/// Refuses a process whose things are others than those of the first one.
///
/// # Errors
/// With the first thing that differs, in every process.
pub fn check_alike(group: &dyn Group, things: &[(&'static str, String)]) -> Result<(), RunError> {
    let size = group.size();
    for (what, own) in things {
        let all = group.gather(own.as_bytes())?;
        if let Some(rank) = all.iter().position(|other| *other != all[0]) {
            return Err(usage!(
                "the {what} of process {rank} of {size} is not that of process 0: start the same \
                 `flow` with the same command on machines that share the folders of data and runs"
            ));
        }
    }
    Ok(())
}

/// The path that the first process names.
///
/// # Errors
/// When a process has ended.
pub(crate) fn path(group: &dyn Group, path: &Path) -> Result<PathBuf, RunError> {
    let told = group.broadcast(path.as_os_str().as_encoded_bytes())?;
    if group.is_first() {
        return Ok(path.to_owned());
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&told).into_owned()))
}

/// What this process has done, once all have done theirs. Where one has failed, every process gets
/// an error, so that none waits for what another will not send.
///
/// # Errors
/// Its own error, or the one of the first process that has failed; and when a process has ended.
pub fn agree<T, E>(group: &dyn Group, done: Result<T, E>) -> Result<T, E>
where
    E: Error + From<RunError> + 'static,
{
    let own = done.as_ref().err().map(|error| sentence(error)).unwrap_or_default();
    let all = group.gather(own.as_bytes());
    let done = done?;
    let all = all.map_err(RunError::from)?;
    let Some(rank) = all.iter().position(|why| !why.is_empty()) else { return Ok(done) };
    let why = String::from_utf8_lossy(&all[rank]).into_owned();
    Err(RunError::Elsewhere { rank, size: group.size(), why }.into())
}

/// What `work` makes of the rows of the first process, a part of at most `size` numbers after the
/// other, in their order: the processes do the parts in turn, and the first gets all, by `take`.
///
/// The others get their parts from the first, so that their own `rows` are not looked at. Where one
/// part ends and the next begins depends on `size` alone: what is made has the bits of one process.
///
/// # Errors
/// What `work` and `take` return; in every process if `work` has failed in one.
///
/// # Panics
/// If `size` is 0.
pub fn each_part<E>(
    group: &dyn Group,
    rows: &[f32],
    size: usize,
    work: impl Fn(&[f32]) -> Result<Vec<f32>, E>,
    mut take: impl FnMut(&[f32]) -> Result<(), E>,
) -> Result<(), E>
where
    E: Error + From<RunError> + 'static,
{
    assert!(0 < size, "expected parts of at least one number, got {size}");
    let rows = if group.is_first() { rows } else { &[] };
    let mut parts = rows.chunks(size);
    loop {
        let round: Vec<Vec<u8>> =
            (0..group.size()).map(|_| bytes(parts.next().unwrap_or_default())).collect();
        let round: Vec<&[u8]> = round.iter().map(Vec::as_slice).collect();
        // The first process has a part in each round, which the others hear of in the same message.
        let more = group.broadcast(&[u8::from(!round[0].is_empty())]).map_err(RunError::from)?;
        if more != [1] {
            return Ok(());
        }
        let own = group.exchange(&round).map_err(RunError::from)?.swap_remove(0);
        let made = if own.is_empty() { Ok(Vec::new()) } else { work(&numbers(&own)) };
        let made = agree(group, made)?;
        for message in group.collect(&bytes(&made)).map_err(RunError::from)? {
            if !message.is_empty() {
                take(&numbers(&message))?;
            }
        }
    }
}

/// The numbers that the first process has, in all of them.
///
/// # Errors
/// When a process has ended.
pub fn told(group: &dyn Group, numbers_of_first: &[f32]) -> Result<Vec<f32>, RunError> {
    Ok(numbers(&group.broadcast(&bytes(numbers_of_first))?))
}

/// Numbers as a message.
pub(crate) fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// The numbers of a message.
pub(crate) fn numbers(message: &[u8]) -> Vec<f32> {
    let (numbers, _) = message.as_chunks();
    numbers.iter().map(|&x| f32::from_le_bytes(x)).collect()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use flow_parallel::{Member, threads};
    use flow_train::Alone;

    use super::*;

    /// What each of `size` processes returns.
    fn each<T: Send>(size: usize, work: impl Fn(&dyn Group) -> T + Sync) -> Vec<T> {
        thread::scope(|scope| {
            let work = &work;
            let start = |member: Member| scope.spawn(move || work(&member));
            let started: Vec<_> = threads(size).into_iter().map(start).collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }

    /// The sum of each part, which tells where it ends.
    fn sums(group: &dyn Group, rows: &[f32], failing: f32) -> Result<Vec<f32>, RunError> {
        let mut all = Vec::new();
        let work = |part: &[f32]| {
            if part.contains(&failing) {
                return Err(usage!("{failing} is none"));
            }
            Ok(vec![part.len() as f32, part.iter().sum()])
        };
        let take = |made: &[f32]| {
            all.extend(made);
            Ok(())
        };
        each_part(group, rows, 3, work, take)?;
        Ok(all)
    }

    #[test]
    fn parts_are_done_in_turn_and_the_first_process_gets_all_in_their_order() {
        for n in [0, 1, 3, 10, 12, 14] {
            let rows: Vec<f32> = (0..n).map(|i| i as f32).collect();
            let alone = sums(&Alone, &rows, -1.0).unwrap();
            assert_eq!(alone.len(), 2 * rows.len().div_ceil(3));
            let total: f32 = alone.chunks(2).map(|sum| sum[1]).sum();
            assert!((total - rows.iter().sum::<f32>()).abs() < 1e-6);
            for size in 1..=4 {
                // The others have no rows of their own.
                let found = each(size, |group| {
                    let rows: &[f32] = if group.is_first() { &rows } else { &[] };
                    sums(group, rows, -1.0).unwrap()
                });
                assert_eq!(found[0], alone, "{n} numbers in {size} processes");
                assert!(found[1..].iter().all(Vec::is_empty));
            }
        }
    }

    #[test]
    fn a_part_that_fails_ends_all_processes_with_its_reason() {
        let rows: Vec<f32> = (0..20).map(|i| i as f32).collect();
        // Part 4, of the numbers 12 to 14, is the second of the second round of three processes.
        let said = each(3, |group| sums(group, &rows, 13.0).unwrap_err());
        for (rank, error) in said.iter().enumerate() {
            let sentence =
                if rank == 1 { "13 is none" } else { "process 1 of 3 has failed: 13 is none" };
            assert_eq!(error.to_string(), sentence);
        }
    }

    #[test]
    fn all_are_told_what_the_first_has() {
        let found = each(3, |group| told(group, &[group.rank() as f32, 0.1]).unwrap());
        assert_eq!(found, vec![vec![0.0, 0.1]; 3]);
    }
}
