//! Bytes, sizes, times and messages.

use std::time::Duration;

use flow_parallel::Alone;
use flow_run::files::write_npy;
use flow_run::memory::{check, check_disk, shown};
use flow_run::metrics::rewind;
use flow_run::recipe::Recipe;
use flow_run::snapshots::Snapshots;
use flow_run::together::{each_part, told};
use flow_run::{
    RunError, SampleChanges, Signal, Silent, Sizes, Start, Told, Upsampling, check_scored, network,
    posterior_name, row_size, time_left,
};
use npyz::NpyFile;

use crate::scene::recipe;
use crate::{Row, SIZE, unless_it_says, wide};

pub(crate) const TABLE: &[Row] = &[
    ("check", |a| {
        // Below zero is nothing, and what is no number is more than there is.
        assert_eq!(check("n", "it", a.x).is_ok(), a.x < 1e30, "{}", a.x);
        check("n", "it", a.count as f64)?;
        Ok(vec![])
    }),
    ("posterior_name", |a| {
        let name = posterior_name("x=1", &SampleChanges::default(), a.count as u64, a.count);
        assert!(name.ends_with(&format!("-n{}.csv", a.count)), "{name}");
        Ok(vec![])
    }),
    ("check_disk", |a| {
        let folder = a.scene.out("room");
        let folder = folder.parent().unwrap();
        if cfg!(unix) {
            assert_eq!(check_disk("n", folder, a.x).is_ok(), a.x < 1e30, "{}", a.x);
        }
        check_disk("n", folder, a.count as f64)?;
        Ok(vec![])
    }),
    ("shown", |a| {
        for bytes in [a.x, a.count as f64] {
            let text = shown(bytes);
            assert!(text.ends_with('B') && text.len() < 20, "{text}");
        }
        Ok(vec![])
    }),
    ("check_scored", |a| {
        check_scored("eval.n", a.count, &[a.rows.len()])?;
        check_scored("eval.n", a.count, &[a.count, a.count])?;
        Ok(vec![])
    }),
    ("row_size", |a| Ok(vec![row_size(&[a.count, a.count, a.count]), row_size(&[])])),
    ("Sizes::of", |a| {
        let ordinary = Sizes::of(&a.scene.recipe, &[2], 0, 0)?;
        ordinary.check()?;
        for (shape, classes, vector) in [
            (vec![a.count], 0, 0),
            (vec![2], a.count, 0),
            (vec![2], 0, a.count),
            (vec![a.count, 2], a.count, a.count),
            (vec![], 0, 0),
        ] {
            if let Ok(sizes) = Sizes::of(&a.scene.recipe, &shape, classes, vector) {
                let text = sizes.comments();
                assert!(!text.contains("NaN"), "{shape:?}: {text}");
                assert!(sizes.check().is_ok() || 3 < a.count, "{shape:?}: {text}");
            }
        }
        Ok(vec![])
    }),
    ("signature", |a| {
        let baked = recipe("digits", &["train.guidance=[1,4]"]);
        for recipe in [&a.scene.recipe, &baked] {
            for shape in [vec![a.count], vec![1, 8, 8], vec![0, a.count, 2], vec![]] {
                let found = network::signature(recipe, &shape, a.count, a.count);
                if let Ok(found) = found {
                    assert!(a.count <= found.vector && found.shape == shape);
                }
            }
        }
        network::signature(&a.scene.recipe, &[2], 0, a.count)?;
        Ok(vec![])
    }),
    ("Upsampling::of", |a| {
        let of = |shape: &[usize], factor: usize| {
            let mut recipe: Recipe = a.scene.recipe.clone();
            recipe.data.upsample = Some(factor);
            Upsampling::of(&recipe, shape)
        };
        for shape in [vec![], vec![2], vec![1, 0, 0], vec![0, 6, 6], vec![1, a.count, a.count]] {
            if let Ok(Some(told)) = of(&shape, a.count) {
                assert!(told.small().iter().all(|side| 0 < *side), "{told:?}");
            }
        }
        let told = of(&[1, 6, 6], a.count)?;
        assert_eq!(told, Some(Upsampling { shape: [1, 6, 6], factor: 3 }));
        Ok(vec![])
    }),
    ("Upsampling::shrunk", |a| {
        let text = "expected images of [1, 2, 2]";
        let shrunk = |factor, rows: &[f32]| {
            unless_it_says(text, || Upsampling { shape: [1, 2, 2], factor }.shrunk(rows))
        };
        assert_eq!(shrunk(a.count, a.rows), None);
        let some = shrunk(2, &[a.rows, &[0.0]].concat());
        assert_eq!(some, None);
        let small = shrunk(2, a.rows).unwrap();
        for (mean, square) in small.iter().zip(a.rows.chunks(SIZE)) {
            let finite = square.iter().all(|x| x.abs() < 1e37);
            assert!(!finite || mean.is_finite(), "{square:?}: {mean}");
            assert!(!square.iter().any(|x| x.is_nan()) || mean.is_nan(), "{square:?}: {mean}");
        }
        Ok(vec![])
    }),
    ("Upsampling::enlarged", |a| {
        let told = Upsampling { shape: [1, 2, 2], factor: 2 };
        let large = told.enlarged(a.rows);
        assert_eq!(large.len(), SIZE * a.rows.len());
        let same = |(x, small): (&f32, &f32)| x.to_bits() == small.to_bits();
        let each = a.rows.iter().flat_map(|x| [x; SIZE]);
        assert!(large.iter().zip(each).all(same));
        let wrong = Upsampling { shape: [1, 2, 2], factor: a.count };
        let none = unless_it_says("expected images of", || wrong.enlarged(a.rows));
        assert_eq!(none, None);
        Ok(vec![])
    }),
    ("Snapshots::of_column", |a| {
        let both = |[s, t]: [f64; 2]| [s, t].repeat(6);
        let pairs = [[a.x, 2.0], [a.x, -a.x], [1e308, -1e308]];
        for times in pairs.map(both).into_iter().chain([wide(a.rows)]) {
            let Ok((seen, rows)) = Snapshots::of_column("t", &times) else { continue };
            assert!(times.iter().all(|t| t.is_finite()), "{times:?}");
            assert!(seen.times.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
            assert_eq!(rows.iter().map(Vec::len).sum::<usize>(), times.len());
            // What a model keeps of them is read back.
            assert_eq!(Snapshots::of(&seen.kept())?, Some(seen));
        }
        assert!(Snapshots::of_column("t", &both([0.0, -0.0])).is_err(), "one time");
        Ok(Snapshots::of_column("t", &both([a.x, 2.0]))?.0.times)
    }),
    ("Snapshots::clock", |a| {
        let all = [vec![0.0, 1.0], vec![-1e308, 1e308], vec![0.0, 1e-38], vec![1.0, 2.0, 1e38]];
        for times in all {
            let seen = Snapshots { times, column: None };
            for t in [a.x, 1e300 * a.x, a.count as f64, 1e308] {
                let [start, end] = seen.ends();
                let clock = seen.clock(t);
                assert_eq!(clock.is_ok(), (start..=end).contains(&t), "{seen:?} at {t}");
                assert!(clock.is_err() || clock.is_ok_and(|t| (0.0..=1.0).contains(&t)), "{t}");
            }
        }
        Ok(vec![Snapshots::of_files().clock(a.x)?])
    }),
    ("time_left", |a| {
        let counts = [a.count, 0, 1, usize::MAX];
        for elapsed in [Duration::ZERO, Duration::from_secs(9), Duration::MAX] {
            for (start, done) in counts.iter().flat_map(|&start| counts.map(|done| (start, done))) {
                let left = time_left(elapsed, start, done, a.count);
                assert!(left.is_none() || start < done && done <= a.count);
            }
        }
        Ok(vec![])
    }),
    ("rewind", |a| {
        let file = a.scene.out("metrics.jsonl");
        let line = |step: usize| {
            format!(
                "{{\"kind\":\"validation\",\"step\":{step},\"images\":9,\"loss\":{:e}}}\n",
                if a.x.is_finite() { a.x } else { 0.5 }
            )
        };
        let lines: Vec<String> = [1, 2, 4, usize::MAX].map(line).to_vec();
        std::fs::write(&file, lines.concat()).unwrap();
        rewind(file.parent().unwrap(), a.count, &Silent)?;
        let kept = std::fs::read_to_string(&file).unwrap();
        let steps = [1, 2, 4, usize::MAX].iter().filter(|step| **step <= a.count).count();
        assert_eq!(kept, lines[..steps].concat());
        Ok(vec![])
    }),
    ("Moments::steps", |a| {
        let moments = recipe("debug", &["train.checkpoints=log"]).train.checkpoints;
        let steps = moments.steps(a.count);
        assert!(steps.iter().all(|step| (1..=a.count.max(1)).contains(step)), "{steps:?}");
        Ok(vec![])
    }),
    ("Start::again", |a| {
        let registry = flow_model::Registry::default();
        let folder = &a.scene.begun.run.folder;
        for more in [a.x, a.count as f64, -1.0] {
            let again = Start::again(&registry, folder, more, false, &Silent);
            // Steps are counted by whole numbers that a number tells apart.
            assert_eq!(again.is_ok(), (0.0..1e14).contains(&more), "{more}");
            if let Ok(again) = again {
                assert!(again.recipe().steps() < 1 << 53);
            }
        }
        let again = Start::again(&registry, folder, a.x, false, &Silent)?;
        Ok(vec![again.recipe().train.images])
    }),
    ("Begun::shared", |a| {
        // Nothing is to be said of a process that is alone.
        assert_eq!(a.scene.begun.shared(a.count), None);
        Ok(vec![])
    }),
    ("Told::of", |a| {
        let nowhere = a.scene.out("no-such-run");
        for (rank, size) in [(a.count, 1), (0, a.count), (1, a.count), (a.count, a.count)] {
            match Told::of(Signal::Term, rank, size, &nowhere) {
                Told::Calmly(text) => assert!(rank == 0 && text.starts_with("SIGTERM: ")),
                Told::Urgently(text) => assert!(rank == 1 && text.starts_with("SIGTERM: ")),
                Told::Nothing => assert!(0 < rank),
            }
        }
        Ok(vec![])
    }),
    ("each_part", |a| {
        let mut all = Vec::new();
        let parts = unless_it_says("expected parts of at least one number", || {
            each_part(
                &Alone,
                a.rows,
                a.count,
                |part| Ok::<_, RunError>(part.to_vec()),
                |made| {
                    all.extend_from_slice(made);
                    Ok(())
                },
            )
        });
        let Some(done) = parts else {
            assert_eq!(a.count, 0);
            return Ok(vec![]);
        };
        done?;
        assert_same(&all, a.rows);
        Ok(vec![])
    }),
    ("told", |a| {
        assert_same(&told(&Alone, a.rows)?, a.rows);
        Ok(vec![])
    }),
    ("write_npy", |a| {
        let shapes = [vec![a.rows.len() / SIZE, SIZE], vec![a.count], vec![a.count, 2, a.count]];
        for shape in &shapes {
            let out = a.scene.out("rows.npy");
            let written: Result<(), RunError> = write_npy(&out, shape, |write| write(a.rows));
            // A file is whole or none.
            assert_eq!(written.is_ok(), out.exists(), "{shape:?}");
            if let Ok(bytes) = std::fs::read(&out) {
                let numbers = NpyFile::new(&bytes[..]).unwrap().into_vec::<f32>().unwrap();
                assert_same(&numbers, a.rows);
            }
        }
        write_npy(&a.scene.out("rows.npy"), &shapes[0], |write| write(a.rows))?;
        Ok(vec![])
    }),
];

/// The same bits.
pub(crate) fn assert_same(found: &[f32], expected: &[f32]) {
    let bits = |all: &[f32]| all.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(found), bits(expected));
}
