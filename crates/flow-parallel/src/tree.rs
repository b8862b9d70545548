//! The order of a sum over parts.

use std::ops::Range;

/// Vectors of parts `a..b`, added in the order that the numbers of the parts give.
///
/// Floating-point sums depend on their order. Here it is a balanced tree over all parts: part `2k`
/// is added to `2k + 1`, then neighbouring pairs, and so on; what is left over at the end, where
/// the number of parts is no power of two, is added from the right. A tree over `a..b` holds the
/// sums of its largest subtrees, at most `2 log2(b - a)` vectors or one, and whoever puts together
/// the trees of all ranges gets the sum of all parts, with the same bits however the ranges were
/// cut.
///
/// # Reference
/// Higham (2002), "Accuracy and Stability of Numerical Algorithms", chapter 4: pairwise sums,
/// whose error grows with the logarithm of the number of terms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
}

/// The sum of the parts `start..start + len`, with `start` a multiple of `len`, a power of two.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    start: usize,
    len: usize,
    pub(crate) sum: Vec<f32>,
}

impl Node {
    /// The part that follows; none behind the last that a number counts.
    fn end(&self) -> Option<usize> {
        self.start.checked_add(self.len)
    }
}

impl Tree {
    /// Adds the vector of the part that follows those added before; the first one may be any.
    ///
    /// What is not finite stays so in its place of the sum, and a sum beyond the range of `f32` is
    /// infinite.
    ///
    /// # Panics
    /// When it is another part, or a vector of another length.
    pub fn push(&mut self, part: usize, vector: Vec<f32>) {
        self.push_node(Node { start: part, len: 1, sum: vector });
    }

    /// Adds the sum of a subtree that follows those added before.
    pub(crate) fn push_node(&mut self, mut node: Node) {
        if let Some(last) = self.nodes.last() {
            let (before, got) = (last.start + (last.len - 1), node.start);
            assert!(last.end() == Some(got), "expected the part after {before}, got {got}");
        }
        while let Some(before) = self
            .nodes
            .pop_if(|before| before.len == node.len && before.start.is_multiple_of(2 * before.len))
        {
            let sum = added(before.sum, &node.sum);
            node = Node { start: before.start, len: 2 * before.len, sum };
        }
        self.nodes.push(node);
    }

    /// The sum of all parts; empty if there were none.
    #[must_use]
    pub fn total(mut self) -> Vec<f32> {
        let Some(last) = self.nodes.pop() else { return Vec::new() };
        self.nodes.into_iter().rev().fold(last.sum, |sum, node| added(node.sum, &sum))
    }

    /// Whether it is made of these parts, all of them and no others.
    pub(crate) fn holds(&self, parts: Range<usize>) -> bool {
        let places = |node: &Node| (node.start, node.len);
        self.nodes.iter().map(places).eq(nodes_of(parts).iter().map(places))
    }

    /// The sums of the subtrees, in the order of their parts.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

/// The subtrees, without sums, that a tree over `parts` holds: from the first part on the largest
/// that begins there and ends among them.
pub(crate) fn nodes_of(parts: Range<usize>) -> Vec<Node> {
    let (mut start, mut nodes) = (parts.start, Vec::new());
    while start < parts.end {
        let fits = (parts.end - start).ilog2();
        let len = 1 << start.trailing_zeros().min(fits);
        nodes.push(Node { start, len, sum: Vec::new() });
        start += len;
    }
    nodes
}

fn added(mut a: Vec<f32>, b: &[f32]) -> Vec<f32> {
    let (expected, got) = (a.len(), b.len());
    assert!(expected == got, "expected a vector of {expected} numbers, got {got}");
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers whose sum depends on its order.
    fn part(k: usize) -> Vec<f32> {
        (0..5).map(|i| ((k * 31 + i * 7) as f32).sin() * 10_f32.powi((k % 5) as i32)).collect()
    }

    fn tree(parts: Range<usize>) -> Tree {
        let mut tree = Tree::default();
        parts.for_each(|k| tree.push(k, part(k)));
        tree
    }

    #[test]
    fn the_order_is_a_balanced_tree() {
        let of = |a: f32, b: f32| a + b;
        let parts: Vec<f32> = (0..6).map(|k| part(k)[3]).collect();
        let [a, b, c, d, e, f] = parts[..] else { panic!("six parts") };
        let expected = of(of(of(a, b), of(c, d)), of(e, f));
        assert_eq!(tree(0..6).total()[3].to_bits(), expected.to_bits());
        assert_eq!(tree(0..1).total(), part(0));
        assert!(Tree::default().total().is_empty());
    }

    #[test]
    fn the_sum_of_all_parts_does_not_depend_on_how_their_ranges_are_cut() {
        for parts in 1..20 {
            let whole = tree(0..parts).total();
            for first in 0..=parts {
                for second in first..=parts {
                    let mut all = Tree::default();
                    for range in [0..first, first..second, second..parts] {
                        let nodes = tree(range.clone()).nodes;
                        let shape = |nodes: &[Node]| -> Vec<(usize, usize)> {
                            nodes.iter().map(|node| (node.start, node.len)).collect()
                        };
                        assert_eq!(shape(&nodes), shape(&nodes_of(range)));
                        for node in nodes {
                            all.push_node(node);
                        }
                    }
                    assert_eq!(all.total(), whole, "{parts} parts cut at {first} and {second}");
                }
            }
        }
    }

    #[test]
    fn another_order_gives_other_bits() {
        // The control: these numbers would tell.
        let one_by_one = (0..12).map(part).reduce(|a, b| added(a, &b)).unwrap();
        assert_ne!(tree(0..12).total(), one_by_one);
    }
}
