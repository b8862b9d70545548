//! Conditions, times and signatures: what a network is told beside its rows.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Device, Tensor};
use flow_nn::{Condition, Signature, Strengths, Time};
use flow_testing::awkward;

use crate::{broken, column, flags, matrix, panics, read};

/// Times are kept as they are; what they mean is the embedding's matter.
pub(crate) fn velocities_times() {
    for set in awkward::rows(6, 1) {
        let time = Time::at(column(&set.rows));
        assert!(time.s.is_none());
        assert_eq!(broken(&read(time.t), set.rows.len()), broken(&set.rows, set.rows.len()));
    }
}

pub(crate) fn map_times() {
    for set in awkward::rows(6, 1) {
        let time = Time::from_to(column(&set.rows), column(&set.rows));
        let s = read(time.s.unwrap());
        assert_eq!(broken(&s, set.rows.len()), broken(&set.rows, set.rows.len()));
    }
}

pub(crate) fn expanded_times() {
    for (name, value) in awkward::SCALARS {
        let value = value as f32;
        for rows in [0, 1, 5] {
            let time = Time::from_to(column(&[value]), column(&[value])).expand(rows);
            for each in [time.t, time.s.unwrap()].map(read) {
                assert_eq!(each.len(), rows);
                assert!(each.iter().all(|x| x.to_bits() == value.to_bits()), "{name}: {each:?}");
            }
        }
    }
    let two = Time::at(column(&[0.1, 0.2]));
    assert_eq!(read(two.clone().expand(2).t), [0.1, 0.2], "times of rows stay theirs");
    let three = catch_unwind(AssertUnwindSafe(|| read(two.expand(3).t)));
    assert!(three.is_err(), "two times are those of three rows: {three:?}");
}

pub(crate) fn signatures() {
    for (shape, size) in [(vec![], 1), (vec![0], 0), (vec![2], 2), (vec![3, 32, 48], 4608)] {
        let signature = Signature::of(shape.clone());
        assert_eq!((signature.size(), &signature.shape), (size, &shape));
        assert_eq!(signature, Signature { shape, ..Signature::default() });
    }
}

pub(crate) fn conditions() {
    for classes in [vec![], vec![0], vec![2, 0, 1]] {
        let condition = Condition::classes(&classes, &Device::flex());
        assert_eq!(condition.rows(), Some(classes.len()));
    }
}

pub(crate) fn narrowed() {
    let condition = Condition::classes(&[0, 1, 2], &Device::flex());
    for (start, length) in [(0, 3), (1, 2), (2, 1)] {
        assert_eq!(condition.narrow(start, length).rows(), Some(length));
    }
    for (start, length) in [(0, 4), (3, 1), (usize::MAX, 2)] {
        panics("expected rows of 0..3", || {
            let _ = condition.narrow(start, length);
        });
    }
    assert_eq!(
        Condition::none().narrow(5, 7).rows(),
        None,
        "nothing has as many rows as one likes"
    );
}

pub(crate) fn repeated() {
    let condition = Condition::classes(&[0, 1], &Device::flex());
    assert_eq!([1, 3].map(|copies| condition.repeat(copies).rows()), [Some(2), Some(6)]);
    panics("expected at least one copy, got 0", || {
        let _ = condition.repeat(0);
    });
}

/// Rows of a condition are kept as they are, and must be as many as the rows of its other parts.
fn kept(
    what: &str,
    with: impl Fn(Condition, Tensor<2>) -> Condition,
    part: impl Fn(Condition) -> Option<Tensor<2>>,
) {
    for set in awkward::rows(6, 2) {
        let condition = with(Condition::none(), matrix(&set.rows, 2));
        let kept = read(part(condition).unwrap());
        assert_eq!(kept.iter().all(|x| x.is_finite()), set.finite, "{}", set.name);
    }
    panics(&format!("expected the {what} of 1 rows, got those of 2"), || {
        let _ = with(Condition::classes(&[0], &Device::flex()), matrix(&[0.0; 4], 2));
    });
}

pub(crate) fn with_vectors() {
    kept("vectors", Condition::with_vector, |condition| condition.vector);
}

pub(crate) fn with_contexts() {
    kept("contexts", Condition::with_context, |condition| condition.context);
}

pub(crate) fn with_latents() {
    kept("latents", Condition::with_latent, |condition| condition.latent);
}

pub(crate) fn with_numbers() {
    let numbers = |condition: Condition, rows: Tensor<2>| {
        let number = rows.clone().narrow(1, 0, 1).squeeze_dim::<1>(1);
        let other = rows.narrow(1, 1, 1).squeeze_dim::<1>(1);
        condition.with_number(number).with_number(other)
    };
    kept("numbers", numbers, |condition| condition.vector);
}

pub(crate) fn with_lengths() {
    for lengths in [vec![], vec![0], vec![3, usize::MAX]] {
        let condition = Condition::none().with_lengths(&lengths);
        assert_eq!(condition.rows(), Some(lengths.len()));
        assert_eq!(condition.repeat(2).rows(), Some(2 * lengths.len()));
    }
    panics("expected the lengths of 1 rows, got those of 2", || {
        let _ = Condition::classes(&[0], &Device::flex()).with_lengths(&[1, 2]);
    });
}

pub(crate) fn within() {
    let signature = Signature { lengths: true, ..Signature::of([3, 2]) };
    let of = |lengths: &[usize], rows: Tensor<2>| {
        Condition::none().with_lengths(lengths).within(&signature, &rows).map(read)
    };
    // What rows hold is not looked at.
    for set in awkward::rows(2, 6) {
        let rows = matrix(&set.rows, 6);
        let there = of(&vec![2; rows.dims()[0]], rows).unwrap();
        let expected = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0].into_iter().cycle().take(there.len());
        assert!(there.into_iter().eq(expected), "{}", set.name);
    }
    assert_eq!(of(&[0], matrix(&[1.0; 6], 6)), Some(vec![0.0; 6]), "nothing is there");
    assert_eq!(
        Condition::none().within(&Signature::of([6]), &matrix(&[1.0; 6], 6)).map(read),
        None
    );
    for lengths in [&[4][..], &[1, 1], &[]] {
        panics("expected 1 lengths of at most 3", || drop(of(lengths, matrix(&[1.0; 6], 6))));
    }
}

pub(crate) fn strengths() {
    for (_, least) in awkward::SCALARS {
        for (_, most) in awkward::SCALARS {
            let strengths = Strengths { least, most };
            if strengths.are_valid() {
                assert!(1.0 <= least && least <= most && most.is_finite());
                assert!(strengths.hold(least) && strengths.hold(most) && !strengths.hold(0.5));
                assert!(!strengths.hold(f64::NAN) && !strengths.hold(f64::INFINITY));
            }
        }
    }
}

pub(crate) fn told_strengths() {
    let strengths = Strengths { least: 1.0, most: 2.0 };
    let told = |condition: Condition, rows: Tensor<2>| {
        let one = |k| rows.clone().narrow(1, k, 1).squeeze_dim::<1>(1);
        strengths.told(strengths.told(condition, one(0)), one(1))
    };
    kept("numbers", told, |condition| condition.vector);
    let one = Strengths { least: 2.0, most: 2.0 };
    assert!(one.told(Condition::none(), Tensor::zeros([3], &Device::flex())).vector.is_none());
}

pub(crate) fn with_flags() {
    for hidden in [vec![], vec![true], vec![false, true]] {
        let condition = Condition::none().with_hidden(flags(&hidden));
        assert_eq!(condition.rows(), Some(hidden.len()));
    }
    panics("expected the flags of 1 rows, got those of 2", || {
        let _ = Condition::classes(&[0], &Device::flex()).with_hidden(flags(&[true, false]));
    });
}
