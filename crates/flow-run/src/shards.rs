//! Samples that processes share, batch by batch.

use std::ops::Range;

use flow_model::Samples;
use flow_train::Group;

use crate::error::RunError;
use crate::request::Request;

/// Draws the batches of a request in turn, one in each process, and gives the first process all of
/// them in their order. No process holds more batches than there are processes.
///
/// A sample does not depend on its batch, unless the solver chooses its steps, which a batch
/// shares: such batches stay as they are, others are made smaller, so that each process has one.
pub(crate) fn each<E: From<RunError>>(
    group: &dyn Group,
    request: &Request,
    draw: impl Fn(Range<usize>) -> Result<Samples, RunError>,
    mut take: impl FnMut(Samples) -> Result<(), E>,
) -> Result<(), E> {
    let (n, size) = (request.n, group.size());
    let whole = request.batch.max(1);
    let batch = if request.adapts() { whole } else { whole.min(n.div_ceil(size)).max(1) };
    let batches: Vec<Range<usize>> =
        (0..n).step_by(batch).map(|start| start..(start + batch).min(n)).collect();
    let mut calls = 0.0;
    for round in batches.chunks(size) {
        let own = round.get(group.rank()).cloned().map(&draw).transpose()?;
        let message = own.map(|samples| bytes(&samples)).unwrap_or_default();
        let all = group.collect(&message).map_err(RunError::from)?;
        if !group.is_first() {
            continue;
        }
        for (range, message) in round.iter().zip(all) {
            let Samples { rows, nfe, .. } = samples(&message);
            calls += nfe * range.len() as f64;
            take(Samples { rows, nfe: calls / range.end as f64, ..Samples::default() })?;
        }
    }
    Ok(())
}

/// The network calls and the rows, as bytes.
fn bytes(samples: &Samples) -> Vec<u8> {
    let rows = samples.rows.iter().flat_map(|x| x.to_le_bytes());
    samples.nfe.to_le_bytes().into_iter().chain(rows).collect()
}

/// What [`bytes`] has written.
fn samples(message: &[u8]) -> Samples {
    let (nfe, rows) = message.split_at(size_of::<f64>());
    let nfe = f64::from_le_bytes(nfe.try_into().expect("eight bytes are split off"));
    let (rows, _) = rows.as_chunks();
    let rows = rows.iter().map(|&x| f32::from_le_bytes(x)).collect();
    Samples { rows, nfe, ..Samples::default() }
}
