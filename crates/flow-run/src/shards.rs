//! Samples that processes share, batch by batch.

use std::ops::Range;

use flow_model::Samples;
use flow_train::Group;

use crate::error::RunError;
use crate::request::Request;
use crate::together::{agree, bytes, numbers};

/// Draws the batches of a request in turn, one in each process, and gives the first process all of
/// them in their order. No process holds more batches than there are processes. `known` is what the
/// request alone says of samples, which no process tells another.
///
/// A sample does not depend on its batch, unless the solver chooses its steps, which a batch
/// shares: such batches stay as they are, others are made smaller, so that each process has one.
pub(crate) fn each<E: From<RunError>>(
    group: &dyn Group,
    request: &Request,
    draw: impl Fn(Range<usize>) -> Result<Samples, RunError>,
    known: impl Fn(Range<usize>) -> Result<Samples, RunError>,
    mut take: impl FnMut(Samples) -> Result<(), E>,
) -> Result<(), E> {
    let (n, size) = (request.n, group.size());
    let whole = request.batch.max(1);
    let batch = if request.adapts() { whole } else { whole.min(n.div_ceil(size)).max(1) };
    let batches: Vec<Range<usize>> =
        (0..n).step_by(batch).map(|start| start..(start + batch).min(n)).collect();
    let mut calls = 0.0;
    for round in batches.chunks(size) {
        let own = agree(group, round.get(group.rank()).cloned().map(&draw).transpose())?;
        let message = own.map(|samples| message(&samples)).unwrap_or_default();
        let all = group.collect(&message).map_err(RunError::from)?;
        if !group.is_first() {
            continue;
        }
        for (range, message) in round.iter().zip(all) {
            let (nfe, numbers) = content(&message);
            calls += nfe * range.len() as f64;
            // The rows, and the states at each time that is kept.
            let size = numbers.len() / (1 + request.times.len());
            let mut each = numbers.chunks(size).map(<[f32]>::to_vec);
            let (rows, states) = (each.next().unwrap_or_default(), each.collect());
            let nfe = calls / range.end as f64;
            take(Samples { rows, states, nfe, ..known(range.clone())? })?;
        }
    }
    Ok(())
}

/// The network calls, the rows and the states, as bytes.
fn message(samples: &Samples) -> Vec<u8> {
    let states = samples.states.iter().map(|state| bytes(state));
    let all = [samples.nfe.to_le_bytes().to_vec(), bytes(&samples.rows)].into_iter().chain(states);
    all.flatten().collect()
}

/// What [`message`] has written.
fn content(message: &[u8]) -> (f64, Vec<f32>) {
    let (nfe, rest) = message.split_at(size_of::<f64>());
    let nfe = f64::from_le_bytes(nfe.try_into().expect("eight bytes are split off"));
    (nfe, numbers(rest))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use burn::tensor::Device;
    use flow_model::{ModelConfig, Registry, SampleChanges};
    use flow_nn::Signature;
    use flow_parallel::threads;

    use super::*;
    use crate::model::Model;

    /// A model of sequences that may end early, of two classes.
    fn sequences(folder: &std::path::Path) -> std::path::PathBuf {
        let whole = Signature { classes: 2, ..Signature::of([3, 2]) };
        let signature = Signature { lengths: true, ..whole };
        let section = "kind = \"dit\"\nhidden = 8\ndepth = 1\nheads = 2\npatch = 1".parse();
        let section: toml::Table = section.unwrap();
        let (registry, device) = (Registry::default(), Device::flex());
        let network = registry.build(&section, &signature, 1, &device).unwrap();
        let config = ModelConfig::new(signature, section);
        let config = ModelConfig { lengths: vec![3, 4, 5], ..config };
        let path = folder.join("sequences.flow");
        let model = flow_model::Model::new(&registry, config, network, &device).unwrap();
        model.save(&path).unwrap();
        path
    }

    #[test]
    fn processes_get_all_that_one_process_gets() {
        let folder = tempfile::tempdir().unwrap();
        let path = sequences(folder.path());
        let open = || Model::of_file(&Registry::default(), &path, &Device::flex()).unwrap();
        let model = open();
        let request = Request::of(&model.config().sample, &SampleChanges::default(), 11, 3, true);
        let request = request.unwrap().with_times(vec![0.25, 0.5]);
        let request = Request { batch: 3, ..request.fixed(flow_ode::Method::Euler, 4) };
        let alone = model.sample(&request).unwrap();
        let lengths = alone.lengths.clone().unwrap();
        assert!([1, 3].iter().all(|length| lengths.contains(length)), "{lengths:?}");
        assert_eq!(alone.states.iter().map(Vec::len).collect::<Vec<_>>(), [66, 66]);
        assert!(alone.classes.is_some());
        let check = |group: Arc<dyn Group>| {
            let all = open().shared_by(Arc::clone(&group)).sample(&request).unwrap();
            if group.is_first() {
                assert_eq!(all, alone, "{} processes", group.size());
            } else {
                assert!(all.rows.is_empty());
            }
        };
        let check = &check;
        for size in 2..=4 {
            thread::scope(|scope| {
                for member in threads(size) {
                    scope.spawn(move || check(Arc::new(member)));
                }
            });
        }
    }
}
