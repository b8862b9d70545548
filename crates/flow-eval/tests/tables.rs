//! Scores of tables: published floors, closed forms, and controls that must be seen.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use common::{assert_close, normal, points, shifted};
use flow_eval::{
    Column, EvalError, Gower, Ground, Points, association_difference, associations,
    marginal_distances, memorisation, table_coverage, utility, wasserstein, wasserstein_1d,
    wasserstein_assignment,
};
use serde_json::Value;

/// Fisher's iris (UCI, CC BY 4.0) and the floors of Jolicoeur-Martineau, Fatras & Kachman (2024),
/// computed by POT and scikit-learn: see `reference/tables.py`.
fn reference() -> Value {
    serde_json::from_str(include_str!("reference/tables.json")).unwrap()
}

fn rows_of(value: &Value) -> Vec<f32> {
    let rows = value.as_array().unwrap().iter();
    rows.flat_map(|row| row.as_array().unwrap()).map(|x| x.as_f64().unwrap() as f32).collect()
}

const IRIS: [Column; 5] =
    [Column::Number, Column::Number, Column::Number, Column::Number, Column::Category(3)];

#[test]
fn orders_and_grounds_of_transport_are_those_of_their_closed_forms() {
    let distance = |a: &[f32], b: &[f32], dim: usize, ground| {
        let there = wasserstein(points(a, dim), points(b, dim), ground).unwrap();
        let back = wasserstein(points(b, dim), points(a, dim), ground).unwrap();
        assert_close(there.value, back.value, 1e-12);
        there.value
    };
    // All mass of one point is dealt out to three: lengths 0, 3 and 4 along one axis.
    let (one, three) = ([0.0], [0.0, 3.0, 4.0]);
    assert_close(distance(&one, &three, 1, Ground::Manhattan), 7.0 / 3.0, 1e-12);
    assert_close(
        distance(&one, &three, 1, Ground::SquaredEuclidean),
        (25.0_f64 / 3.0).sqrt(),
        1e-12,
    );
    // A shift by (3, -4), which no other plan can beat.
    let rows = [0.0, 0.0, 1.0, 5.0, -2.0, 2.5];
    let moved: Vec<f32> = rows.chunks(2).flat_map(|row| [row[0] + 3.0, row[1] - 4.0]).collect();
    assert_close(distance(&rows, &moved, 2, Ground::Manhattan), 7.0, 1e-12);
    assert_close(distance(&rows, &moved, 2, Ground::Euclidean), 5.0, 1e-12);
    assert_close(distance(&rows, &moved, 2, Ground::SquaredEuclidean), 5.0, 1e-12);
}

#[test]
fn the_floors_of_iris_are_those_of_the_published_protocol() {
    let reference = reference();
    let all = rows_of(&reference["iris"]);
    for split in reference["splits"].as_array().unwrap() {
        let test: Vec<usize> = split["test"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| i.as_u64().unwrap() as usize)
            .collect();
        let pick = |wanted: bool| -> Vec<f32> {
            let rows = all.chunks(5).enumerate();
            rows.filter(|(i, _)| test.contains(i) == wanted)
                .flat_map(|(_, row)| row)
                .copied()
                .collect()
        };
        let (train, test) = (pick(false), pick(true));
        let gower = Gower::fit(points(&train, 5), &IRIS).unwrap();
        let [train, test] = [&train, &test].map(|rows| gower.embed(points(rows, 5)).unwrap());
        let (train, test) = (points(&train, 7), points(&test, 7));
        let score = |name: &str| split[name].as_f64().unwrap();
        // Embedded in single precision.
        let w1 = wasserstein(train, test, Ground::Manhattan).unwrap();
        assert_close(w1.value, score("w1"), 1e-6);
        assert_close(wasserstein(test, train, Ground::Manhattan).unwrap().value, w1.value, 1e-12);
        // Iris is measured in millimetres, so that distances tie and rounding decides; for one row
        // of the 30 it decides otherwise in single precision.
        let coverage = table_coverage(test, train, 2).unwrap().value;
        assert_close(coverage, score("coverage"), 1.0 / 30.0 + 1e-12);
    }
}

#[test]
fn distances_between_sets_of_two_sizes_are_those_of_pot() {
    let reference = reference();
    let (a, b) = (rows_of(&reference["a"]), rows_of(&reference["b"]));
    for (ground, name) in [
        (Ground::Manhattan, "manhattan"),
        (Ground::Euclidean, "euclidean"),
        (Ground::SquaredEuclidean, "squared"),
    ] {
        let found = wasserstein(points(&a, 3), points(&b, 3), ground).unwrap();
        assert_close(found.value, reference[name].as_f64().unwrap(), 1e-6);
    }
    let coverage = table_coverage(points(&a, 3), points(&b, 3), 2).unwrap();
    assert_close(coverage.value, reference["coverage"].as_f64().unwrap(), 1e-12);
}

#[test]
fn on_the_line_and_for_equal_sizes_the_distance_is_that_of_simpler_means() {
    let (a, b) = (normal(70, 1, 1), normal(42, 1, 2));
    for (ground, p) in [(Ground::Manhattan, 1.0), (Ground::SquaredEuclidean, 2.0)] {
        let found = wasserstein(points(&a, 1), points(&b, 1), ground).unwrap();
        assert_close(found.value, wasserstein_1d(&a, &b, p).unwrap().value, 1e-9);
        assert_eq!(found.n, 42);
    }
    let (a, b) = (normal(60, 4, 3), normal(60, 4, 4));
    let (a, b) = (points(&a, 4), points(&b, 4));
    let found = wasserstein(a, b, Ground::SquaredEuclidean).unwrap();
    assert_close(found.value, wasserstein_assignment(a, b).unwrap().value, 1e-12);
    let many = normal(5000, 1, 5);
    let error = wasserstein(points(&many, 1), points(&many, 1), Ground::Euclidean).unwrap_err();
    assert!(matches!(error, EvalError::TooMany { .. }), "{error}");
}

#[test]
fn copies_are_nearer_to_the_training_rows_than_real_rows_and_fresh_rows_are_not() {
    let [train, held, fresh] = [1, 2, 3].map(|seed| normal(400, 3, seed));
    let (train, held) = (points(&train, 3), points(&held, 3));
    let found = memorisation(points(&fresh, 3), train, held).unwrap();
    let (p, error) = (found.nearer.value, found.nearer.std_error.unwrap());
    assert!((p - 0.5).abs() < 3.0 * error, "{}", found.nearer);
    // Two samples of 400: sqrt(1/12 (1/400 + 1/400)) = 0.0204.
    assert_close(error, 0.0204, 0.001);
    let (value, floor) = (found.distance.value, found.distance.floor.unwrap());
    assert!((value / floor - 1.0).abs() < 0.1, "{}", found.distance);
    // Training rows with a little noise.
    let copies = train.as_slice().iter().map(|x| x + 0.01).collect::<Vec<_>>();
    let found = memorisation(points(&copies, 3), train, held).unwrap();
    assert!(0.95 < found.nearer.value && found.distance.value < 0.2 * floor, "{found:?}");
    // Rows that are far away copy nothing.
    let far = shifted(&fresh, 5.0);
    assert!(memorisation(points(&far, 3), train, held).unwrap().nearer.value < 0.01);
}

#[test]
fn coverage_sees_rows_that_are_left_out() {
    let real = [0.0, 0.1, 0.2, 5.0, 5.1, 5.2];
    let coverage = |generated: &[f32], k| {
        table_coverage(points(&real, 1), points(generated, 1), k).unwrap().value
    };
    assert_close(coverage(&[0.05, 0.15], 1), 0.5, 0.0);
    assert_close(coverage(&[0.05, 0.15, 5.05, 5.15], 1), 1.0, 0.0);
    // The nearest neighbour of 0.0 is at 0.1, and the ball is open.
    assert_close(coverage(&[-0.101], 1), 0.0, 0.0);
    assert_close(coverage(&[-0.09], 1), 1.0 / 6.0, 1e-12);
    assert!(table_coverage(points(&real, 1), points(&real, 1), 6).is_err());
}

#[test]
fn marginals_are_the_two_classical_distances() {
    let a = [0.0, 0.0, 1.0, 0.0, 2.0, 1.0, 3.0, 1.0];
    let b = [0.5, 0.0, 1.5, 2.0, 2.5, 2.0, 9.0, 1.0];
    let columns = [Column::Number, Column::Category(3)];
    let found = marginal_distances(points(&a, 2), points(&b, 2), &columns).unwrap();
    // F - G is 1/4 on [0, 0.5), 0 after it, and so on.
    assert_close(found[0].value, 0.25, 1e-12);
    // Shares 1/2, 1/2, 0 against 1/4, 1/4, 1/2.
    assert_close(found[1].value, 0.5, 1e-12);
    let same = marginal_distances(points(&a, 2), points(&a, 2), &columns).unwrap();
    assert!(same.iter().all(|score| score.value.abs() < 1e-12));
    let error = marginal_distances(points(&a, 2), points(&b, 2), &columns[..1]).unwrap_err();
    assert_eq!(error, EvalError::ColumnCount { kinds: 1, columns: 2 });
    let error = Gower::fit(points(&b, 2), &[Column::Number, Column::Category(2)]).unwrap_err();
    assert!(error.to_string().starts_with("row 1 has 2 in column 1, which holds"), "{error}");
}

#[test]
fn associations_have_their_closed_forms() {
    // Two numbers on a line, a category that is a function of them and one that is not.
    let rows = [
        1.0, -2.0, 0.0, 0.0, //
        2.0, -4.0, 0.0, 1.0, //
        3.0, -6.0, 1.0, 0.0, //
        4.0, -8.0, 1.0, 1.0,
    ];
    let kinds = [Column::Number, Column::Number, Column::Category(2), Column::Category(2)];
    let found = associations(points(&rows, 4), &kinds).unwrap();
    assert_close(found[1], -1.0, 1e-12);
    // Means 1.5 and 3.5 in a spread of variance 1.25: sqrt(1 / 1.25).
    assert_close(found[2], 0.8_f64.sqrt(), 1e-12);
    assert_close(found[3], 0.2_f64.sqrt(), 1e-12);
    // Every pair of the two categories once.
    assert_close(found[2 * 4 + 3], 0.0, 1e-12);
    let equal = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0];
    let same = associations(points(&equal, 2), &[Column::Category(3); 2]).unwrap();
    assert_close(same[1], 1.0, 1e-12);
}

#[test]
fn columns_that_were_permuted_lose_their_associations_and_not_their_marginals() {
    let z = normal(2000, 2, 7);
    let rows: Vec<f32> = z.chunks(2).flat_map(|z| [z[0], 0.8 * z[0] + 0.6 * z[1]]).collect();
    let other: Vec<f32> =
        normal(2000, 2, 8).chunks(2).flat_map(|z| [z[0], 0.8 * z[0] + 0.6 * z[1]]).collect();
    let permuted: Vec<f32> =
        (0..2000).flat_map(|i| [rows[2 * i], rows[2 * ((i * 7 + 3) % 2000) + 1]]).collect();
    let kinds = [Column::Number; 2];
    let difference = |rows: &[f32]| {
        association_difference(points(rows, 2), points(&other, 2), &kinds).unwrap().value
    };
    // The standard error of a correlation of 0.8 is 0.36 / sqrt(2000) = 0.008.
    assert!(difference(&rows) < 0.035, "{}", difference(&rows));
    assert_close(difference(&permuted), 0.8, 0.08);
    let marginals = |rows: &[f32]| -> Vec<f64> {
        let found = marginal_distances(points(rows, 2), points(&other, 2), &kinds).unwrap();
        found.iter().map(|score| score.value).collect()
    };
    assert_eq!(marginals(&rows), marginals(&permuted));
    assert!(Points::new(&rows, 2).is_ok());
}

/// Two numbers, one of which is the other with noise of a known size, and a category that says
/// which half the first lies in.
fn related(n: usize, noise: f32, seed: u64) -> Vec<f32> {
    let drawn = normal(2 * n, 1, seed);
    let row = |i: usize| {
        let (x, e) = (drawn[2 * i], drawn[2 * i + 1]);
        [x, x + noise * e, f32::from(u8::from(0.0 < x))]
    };
    (0..n).flat_map(row).collect()
}

#[test]
fn rows_are_worth_what_can_be_learned_from_them() {
    let kinds = [Column::Number, Column::Number, Column::Category(2)];
    let score = |generated: &[f32], train: &[f32], real: &[f32]| {
        utility(points(generated, 3), points(train, 3), points(real, 3), &kinds).unwrap()
    };
    let (train, real) = (related(3000, 0.5, 1), related(800, 0.5, 2));
    let own = score(&train, &train, &real);
    assert_close(own.value, own.floor.unwrap(), 1e-12);
    // The regression of y on x leaves 0.25 of 1.25, that of x on y 0.25 / 1.25 of 1; five
    // neighbours add a fifth of that, and the category narrows x. It is right beside the border.
    assert!((0.80..0.90).contains(&own.value), "{own}");
    assert!((0.005..0.02).contains(&own.std_error.unwrap()), "{own}");
    // Fresh rows of the same law are worth the same.
    let fresh = score(&related(3000, 0.5, 3), &train, &real);
    assert!((fresh.value - own.value).abs() < 0.02, "{fresh} against {own}");
    // The control: columns shuffled apart keep their laws and teach nothing.
    let mut apart = train.clone();
    let n = train.len() / 3;
    for row in 0..n {
        apart[3 * row + 1] = train[3 * ((row + 977) % n) + 1];
        apart[3 * row + 2] = train[3 * ((row + 1954) % n) + 2];
    }
    let apart = score(&apart, &train, &real);
    assert!(apart.value < 0.25, "{apart}");
    assert_close(apart.floor.unwrap(), own.value, 1e-12);
}

#[test]
fn a_table_of_one_column_or_of_constants_has_no_utility() {
    let one = utility(points(&[1.0, 2.0], 1), points(&[1.0], 1), points(&[3.0], 1), &IRIS[..1]);
    assert!(matches!(one, Err(EvalError::TooFew { n: 1, .. })), "{one:?}");
    let flat = [1.0, 2.0, 1.0, 2.0, 1.0, 2.0];
    let flat = points(&flat, 2);
    let none = utility(flat, flat, flat, &IRIS[..2]);
    assert!(matches!(none, Err(EvalError::TooFew { n: 0, .. })), "{none:?}");
}
