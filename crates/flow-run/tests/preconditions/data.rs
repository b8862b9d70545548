//! Rows of data: how they are drawn, scaled and told.

use burn::tensor::Device;
use flow_datasets::{Images, Split};
use flow_run::array::{ArrayPart, ArrayRows};
use flow_run::{RowForm, batches, some_of, some_places, sources};

use crate::limits::assert_same;
use crate::{Awkward, Given, Row, SIZE, wide};

/// The size of numbers of which a few are added without leaving the range of `f32`.
const LARGE: f32 = 1e37;

pub(crate) const TABLE: &[Row] = &[
    ("batches", |a| {
        let (recipe, toy) = (&a.scene.recipe, &a.scene.toy);
        let rows = sources(recipe, toy, None, &Device::flex())?;
        // Numbers for each row, of which none is drawn yet.
        let both = batches(recipe, toy, rows, a.count)?;
        assert!(both.iter().all(|batches| batches.noise == a.count));
        Ok(vec![])
    }),
    ("Data::held_rows", |a| held(a, 0)),
    ("Data::held_lengths", |a| held(a, 1)),
    ("some_of", |a| {
        for n in [0, 1, 5] {
            let images = Images {
                pixels: vec![7; n],
                labels: vec![0; n],
                channels: 1,
                height: 1,
                width: 1,
                class_names: vec!["one".into()],
                max_value: 255,
            };
            assert_eq!(some_of(&images, Split::Test, a.count, 1).len(), n.min(a.count));
        }
        Ok(vec![])
    }),
    ("some_places", |a| {
        for len in [0, 1, 5] {
            let mut places = some_places(len, Split::Train, a.count, 1);
            assert_eq!(places.len(), len.min(a.count));
            places.sort_unstable();
            places.dedup();
            assert!(places.len() == len.min(a.count) && places.iter().all(|place| *place < len));
        }
        Ok(vec![])
    }),
    ("RowForm::shown", |a| {
        for form in [RowForm::Numbers, RowForm::Array(ArrayRows::plain(&[SIZE]))] {
            assert_overflow_alone(&form.shown(a.rows), a.rows);
        }
        Ok(vec![])
    }),
    ("ArrayPart::rows_at", |a| {
        let n = a.rows.len() / SIZE;
        let part = ArrayPart { n, values: a.rows.to_vec(), ..ArrayPart::default() };
        for places in [vec![a.count], vec![0, a.count], vec![]] {
            let found = part.rows_at(&places, SIZE);
            let there = places.iter().all(|place| *place < n);
            assert_eq!(found.is_ok(), there, "{places:?} of {n}");
            assert!(found.is_err() || found.is_ok_and(|rows| rows.len() == SIZE * places.len()));
        }
        assert_eq!(part.rows_at(&[0], a.count).is_ok(), a.count <= a.rows.len());
        assert_same(&part.rows_at(&(0..n).collect::<Vec<_>>(), SIZE)?, a.rows);
        Ok(vec![])
    }),
    ("ArrayRows::plain", |a| {
        for shape in [vec![], vec![0], vec![SIZE], vec![2, 0], vec![2, 2], vec![0, 2, 2]] {
            let rows = ArrayRows::plain(&shape);
            assert_same(&rows.encode(a.rows), a.rows);
            assert_same(&rows.decode(a.rows), a.rows);
        }
        Ok(vec![])
    }),
    ("ArrayRows::decode_within", |a| {
        let rows = ArrayRows::plain(&[2, 2]);
        let n = a.rows.len() / SIZE;
        let lengths = vec![a.count; n];
        let found = rows.decode_within(a.rows, Some(&lengths));
        for (row, whole) in found.chunks(SIZE).zip(a.rows.chunks(SIZE)) {
            let (kept, behind) = row.split_at(SIZE.min(a.count.saturating_mul(2)));
            assert_same(kept, &whole[..kept.len()]);
            assert!(behind.iter().all(|x| x.is_nan()), "{row:?}");
        }
        assert_same(&rows.decode_within(a.rows, None), a.rows);
        // Lengths of fewer rows end those alone.
        assert_same(&rows.decode_within(a.rows, Some(&[])), a.rows);
        Ok(vec![])
    }),
    ("ArrayRows::encode", |a| {
        for rows in scaled(a.x as f32) {
            assert_overflow_alone(&rows.encode(a.rows), a.rows);
        }
        let [rows, _] = scaled(1.0);
        let found = rows.encode(a.rows);
        if a.rows.iter().all(|x| x.abs() < LARGE) {
            return Ok(wide(&found));
        }
        Ok(vec![])
    }),
    ("ArrayRows::decode", |a| {
        for rows in scaled(a.x as f32) {
            let found = rows.decode(a.rows);
            assert_eq!(found.len(), a.rows.len());
            let back = rows.encode(&found);
            // Of the scale 1e38 too these stay within the range of `f32`.
            let range = |x: &f32| 1.0 <= x.abs() && x.abs() < 3.0;
            for (back, x) in back.iter().zip(a.rows).filter(|(_, x)| range(x)) {
                assert!((back - x).abs() < 1e-3 * x.abs(), "{x} came back as {back}");
            }
        }
        Ok(vec![])
    }),
    ("ArrayRows::shown", |a| {
        for range in [[0.0, a.x as f32], [a.x as f32; 2], [-1.0, 1.0]] {
            let rows = ArrayRows { range, ..ArrayRows::plain(&[SIZE]) };
            let found = rows.shown(a.rows);
            assert_eq!(found.len(), a.rows.len());
        }
        let found = ArrayRows::plain(&[SIZE]).shown(a.rows);
        assert_overflow_alone(&found, a.rows);
        Ok(vec![])
    }),
];

/// Held-out rows, or their lengths, of points without end and of sequences.
fn held(a: Awkward<'_>, what: usize) -> Given {
    for (data, size) in [(&a.scene.toy, 2), (&a.scene.sequences, SIZE)] {
        if what == 0 {
            let rows = data.held_rows(a.count, 1)?;
            assert_eq!(rows.len(), a.count * size);
            assert!(rows.iter().all(|x| x.is_finite()));
        } else {
            let lengths = data.held_lengths(a.count, 1)?;
            assert_eq!(lengths.is_some(), data.ends_early());
            if let Some(lengths) = lengths {
                assert!(lengths.len() == a.count && lengths.iter().all(|n| [1, 2].contains(n)));
            }
        }
    }
    Ok(vec![])
}

/// Rows of this scale where it is one, as points and as images with the channels last.
fn scaled(scale: f32) -> [ArrayRows; 2] {
    let scale = if scale.is_finite() && 0.0 < scale { scale } else { 1.0 };
    [(vec![SIZE], false), (vec![2, 2, 1], true)].map(|(shape, channels_last)| {
        let plain = ArrayRows::plain(&shape);
        let channels = if channels_last { 1 } else { SIZE };
        let (shift, scale) = (vec![0.0; channels], vec![scale; channels]);
        ArrayRows { channels_last, shift, scale, ..plain }
    })
}

/// What is not finite comes from what is not, or from what is large.
fn assert_overflow_alone(found: &[f32], rows: &[f32]) {
    assert_eq!(found.len(), rows.len());
    for (found, x) in found.iter().zip(rows) {
        assert!(found.is_finite() || !x.is_finite() || 1.0 <= x.abs(), "{x} became {found}");
        assert!(!x.is_nan() || found.is_nan(), "{x} became {found}");
    }
}
