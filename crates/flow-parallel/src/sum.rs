//! The sum over the parts of all processes.

use crate::error::GroupError;
use crate::group::{Group, share};
use crate::tree::{Tree, nodes_of};

/// The sum of the vectors of `parts` parts, of which this process has those of its
/// [`share`](Group::share) in `own`: the same bits in every process, and for any number of
/// processes.
///
/// Each process adds up one slice of the vectors, for which the others send it theirs, and gives
/// the sum to all. Where the shares are whole subtrees of the sum, as for numbers of parts and of
/// processes that are powers of two, a process sends and receives two vectors less a share of
/// each, as in the best algorithms whose order is not fixed.
///
/// What is not finite stays so in its place of the sum, and a sum beyond the range of `f32` is
/// infinite.
///
/// # Errors
/// When a process has ended, or has other numbers of parts or longer vectors.
///
/// # Panics
/// When this process has other parts than its share, or no part.
pub fn sum(group: &dyn Group, parts: usize, own: Tree) -> Result<Vec<f32>, GroupError> {
    let (size, own_share) = (group.size(), group.share(parts));
    assert!(own.holds(own_share.clone()), "expected the sum of the parts {own_share:?}");
    if size == 1 {
        return Ok(own.total());
    }
    let length = own.nodes().first().expect("a process has a part of its own").sum.len();
    let slice = |rank| share(length, rank, size);
    let message = |rank| -> Vec<u8> {
        let slices = own.nodes().iter().map(|node| bytemuck::cast_slice(&node.sum[slice(rank)]));
        slices.collect::<Vec<&[u8]>>().concat()
    };
    let messages: Vec<Vec<u8>> = (0..size).map(message).collect();
    drop(own);
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let received = group.exchange(&messages)?;

    let mine = slice(group.rank()).len();
    let mut tree = Tree::default();
    for (rank, message) in received.into_iter().enumerate() {
        let nodes = nodes_of(share(parts, rank, size));
        let numbers = numbers("gradients", message, nodes.len() * mine, rank, size)?;
        for (k, mut node) in nodes.into_iter().enumerate() {
            node.sum = numbers[k * mine..(k + 1) * mine].to_vec();
            tree.push_node(node);
        }
    }
    let mut whole = Vec::with_capacity(length);
    let slices = group.gather(bytemuck::cast_slice(&tree.total()))?;
    for (rank, message) in slices.into_iter().enumerate() {
        whole.extend(numbers("sums", message, slice(rank).len(), rank, size)?);
    }
    Ok(whole)
}

/// The numbers of a message, which must be so many.
fn numbers(
    what: &'static str,
    message: Vec<u8>,
    expected: usize,
    rank: usize,
    size: usize,
) -> Result<Vec<f32>, GroupError> {
    let (expected, got) = (expected * size_of::<f32>(), message.len());
    if got != expected {
        return Err(GroupError::Other { what, rank, size, expected, got });
    }
    let (numbers, _) = message.as_chunks();
    Ok(numbers.iter().map(|&bytes| f32::from_ne_bytes(bytes)).collect())
}
