//! Every public function that takes numbers, called with awkward numbers and counts: sums hold
//! infinities and NaN in their places alone, with the bits of one process, and counts that cannot
//! be end in a documented panic at once.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use flow_parallel::{Alone, Group, Member, Tree, sum, threads};
use flow_testing::{awkward, public};

/// Counts that a caller may ask for.
const COUNTS: [usize; 6] = [0, 1, 3, 8, 1 << 40, usize::MAX];

/// What a function is called with.
#[derive(Clone, Copy)]
struct Awkward<'a> {
    /// What each part has: any numbers.
    rows: &'a [f32],
    x: f32,
    count: usize,
}

type Row = (&'static str, fn(Awkward<'_>));

const TABLE: &[Row] = &[
    ("Tree::push", |a| {
        let (mut tree, mut expected) = (Tree::default(), Vec::new());
        for (at, part) in [a.rows, &vec![a.x; a.rows.len()]].into_iter().enumerate() {
            let Some(place) = a.count.checked_add(at) else {
                // Behind the last part that can be counted there is none.
                let again = |mut tree: Tree| tree.push(usize::MAX, part.to_vec());
                unless_it_says("expected the part after", || again(tree.clone()));
                return;
            };
            tree.push(place, part.to_vec());
            expected = if at == 0 { part.to_vec() } else { added(&expected, part) };
        }
        assert_same(&tree.clone().total(), &expected);
        let mut longer = tree.clone();
        let added = unless_it_says("expected a vector of", || {
            longer.push(a.count + 2, vec![a.x; a.rows.len() + 1]);
            longer.total()
        });
        assert!(added.is_none());
        unless_it_says("expected the part after", || tree.push(a.count, Vec::new()));
    }),
    ("sum", |a| {
        // The parts of a process are made one after another, so that they are few.
        let parts = a.count.min(8);
        let own = |group: &dyn Group| {
            let mut own = Tree::default();
            group.share(parts).for_each(|part| own.push(part, numbers_of(a, part)));
            own
        };
        let expected = sum(&Alone, parts, own(&Alone)).unwrap();
        let size = parts.clamp(1, 3);
        for found in each(size, |member| sum(&member, parts, own(&member))) {
            assert_same(&found.unwrap(), &expected);
        }
        // As many parts as no process has.
        if 8 < a.count {
            let said = |member: Member| {
                unless_it_says("expected the sum of the parts", || {
                    sum(&member, a.count, own(&member))
                })
            };
            assert!(each(2, said).iter().all(Option::is_none));
            assert!(said(threads(1).remove(0)).is_none());
        }
        let none = each(2, |member| {
            unless_it_says("a process has a part of its own", || sum(&member, 0, Tree::default()))
        });
        assert!(none.iter().all(Option::is_none));
    }),
    ("threads", |a| {
        let members = unless_it_says("expected at most 1024 threads", || threads(a.count.min(9)));
        let members = members.unwrap_or_default();
        assert_eq!(members.len(), a.count.min(9));
        // Every part is of one share, however many there are.
        let mut next = 0;
        for member in &members {
            let share = member.share(a.count);
            assert_eq!(share.start, next);
            next = share.end;
        }
        assert_eq!(next, if members.is_empty() { 0 } else { a.count });
        if 1024 < a.count {
            assert!(unless_it_says("expected at most", || threads(a.count)).is_none());
        }
    }),
];

/// The numbers of a part, whose sum depends on its order.
fn numbers_of(a: Awkward<'_>, part: usize) -> Vec<f32> {
    a.rows.iter().map(|x| x * (1.0 + part as f32) + a.x).collect()
}

fn added(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// Equal bits, but for those of NaN, of which processors have several.
fn assert_same(found: &[f32], expected: &[f32]) {
    let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().zip(expected).all(same), "{found:?} in place of {expected:?}");
}

/// What each of `size` processes returns, by rank.
fn each<T: Send>(size: usize, work: impl Fn(Member) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let work = &work;
        let started: Vec<_> =
            threads(size).into_iter().map(|member| scope.spawn(move || work(member))).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// The value of a call that may panic with a text that its documentation names.
fn unless_it_says<T>(text: &str, call: impl FnOnce() -> T) -> Option<T> {
    let panic = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(value) => return Some(value),
        Err(panic) => panic,
    };
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
    assert!(said.contains(text), "an undocumented panic: {said}");
    None
}

#[test]
fn sums_and_counts_keep_their_word_over_awkward_numbers() {
    for (name, call) in TABLE {
        for set in awkward::rows(4, 2) {
            for (what, x) in awkward::SCALARS {
                for count in COUNTS {
                    let called = Awkward { rows: &set.rows, x: x as f32, count };
                    let outcome = catch_unwind(AssertUnwindSafe(|| call(called)));
                    assert!(outcome.is_ok(), "{name} of {} with {what} and {count}", set.name);
                }
            }
        }
    }
}

#[test]
fn every_public_function_that_takes_numbers_has_a_row() {
    let rows: Vec<&str> = TABLE.iter().map(|(name, _)| *name).collect();
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &rows, &[]);
}
