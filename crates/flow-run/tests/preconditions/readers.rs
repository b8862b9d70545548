//! Numbers from files and from what is typed: each is taken or refused, with what to do.

use std::fmt::Write as _;
use std::fs;

use flow_datasets::Files;
use flow_model::Registry;
use flow_run::array::ArrayRows;
use flow_run::recipe::check;
use flow_run::snapshots::Snapshots;
use flow_run::table::Conditions;
use flow_run::{
    Data, Place, Push, Recipe, Request, RowForm, SampleChanges, Silent, check_samples, typed,
};
use flow_testing::awkward;

use crate::scene::{Scene, write_array};

/// Enough to train with and to hold out.
const ROWS: usize = 40;

/// As a user may type them.
const TYPED: [&str; 14] = [
    "nan", "inf", "-inf", "0", "-0", "-1", "1e-38", "1e38", "1e308", "1e400", "0.5", "1", "1e3", "",
];

fn open(name: &str, changes: &[String]) -> Option<Data> {
    let recipe = Recipe::named(&Registry::default(), name, changes);
    match recipe.and_then(|recipe| Data::open(&recipe, &Files::default(), &Silent)) {
        Ok(data) => Some(data),
        Err(error) => {
            let sentence = error.to_string();
            assert!(20 < sentence.len() && !sentence.contains('\n'), "{sentence}");
            None
        }
    }
}

/// Held-out rows of data, which are finite.
fn assert_finite(what: &str, data: &Data) {
    let rows = data.held_rows(20, 1).unwrap();
    assert!(rows.iter().all(|x| x.is_finite()), "{what}: {rows:?}");
}

#[test]
fn arrays_of_awkward_numbers_are_scaled_to_finite_ones_or_refused() {
    let scene = Scene::new();
    let file = scene.out("rows.npy");
    for set in awkward::rows(ROWS, 4) {
        let n = set.rows.len() / 4;
        for (recipe, shape) in [
            ("points", vec![n, 4]),
            ("sequence", vec![n, 2, 2]),
            ("images", vec![n, 1, 2, 2]),
            ("populations", vec![n, 4]),
        ] {
            let _ = fs::remove_file(&file);
            write_array(&file, &shape, set.rows.iter().copied());
            for scale in ["none", "range", "standard"] {
                let named = format!("data.file={}", file.display());
                let data = open(recipe, &[named, format!("data.scale={scale}")]);
                let what = format!("{} as {recipe}, {scale}", set.name);
                // NaN alone may say where a sequence ends.
                assert!(set.finite || data.is_none() || recipe == "sequence", "{what}");
                if let Some(data) = &data {
                    assert_finite(&what, data);
                }
            }
        }
    }
    assert!(open("points", &[format!("data.file={}", file.display())]).is_none());
}

#[test]
fn tables_of_awkward_numbers_are_encoded_as_finite_ones_or_refused() {
    let scene = Scene::new();
    let file = scene.out("rows.csv");
    let mut opened = 0;
    for set in awkward::rows(ROWS, 3) {
        let mut text = "a,b,c\n".to_owned();
        for row in set.rows.chunks(3) {
            writeln!(text, "{},{},{}", row[0], row[1], row[2]).unwrap();
        }
        fs::write(&file, text).unwrap();
        for change in ["data.holes=true", "data.given=[\"b\"]", "data.holes=false"] {
            let named = format!("data.file={}", file.display());
            if let Some(data) = open("table", &[named, change.to_owned()]) {
                opened += 1;
                assert_finite(&format!("{} with {change}", set.name), &data);
                let told = data.told().vectors.unwrap_or_default();
                assert!(told.iter().all(|x| x.is_finite()), "{}: {told:?}", set.name);
            }
        }
    }
    assert!(10 < opened, "{opened} were opened");
}

#[test]
fn times_of_rows_are_finite_and_of_many_rows_or_refused() {
    let scene = Scene::new();
    let file = scene.out("times.csv");
    for (what, x) in awkward::SCALARS {
        let mut text = "a,time\n".to_owned();
        for i in 0..ROWS {
            writeln!(text, "{},{}", (i as f64).sin(), if i % 2 == 0 { x } else { 2.0 }).unwrap();
        }
        fs::write(&file, text).unwrap();
        let named = format!("data.file={}", file.display());
        let data = open("populations", &[named, "data.set=table".into(), "data.time=time".into()]);
        if let Some(seen) = data.as_ref().and_then(Data::snapshots) {
            assert!(x.is_finite() && seen.times.contains(&x), "{what}: {seen:?}");
        }
    }
}

#[test]
fn what_a_model_keeps_is_read_back_or_refused_where_it_makes_no_sense() {
    for (what, x) in awkward::SCALARS {
        let seen = Snapshots { times: vec![-2.0, x, 2.0], column: None };
        assert_eq!(Snapshots::of(&seen.kept()).is_ok(), -2.0 < x && x < 2.0, "{what}");
        let plain = ArrayRows::plain(&[2]);
        let (n, x) = (vec![x as f32; 2], x as f32);
        let scaled = ArrayRows { scale: n.clone(), ..plain.clone() };
        assert_eq!(ArrayRows::of(&scaled.kept()).is_ok(), x.is_finite() && 0.0 < x, "{what}");
        for moved in
            [ArrayRows { shift: n, ..plain.clone() }, ArrayRows { range: [0.0, x], ..plain }]
        {
            assert_eq!(ArrayRows::of(&moved.kept()).is_ok(), x.is_finite(), "{what}");
        }
    }
}

#[test]
fn what_is_typed_is_a_number_of_its_kind_or_refused() {
    for text in TYPED {
        let (images, number) = (typed::images(text), typed::number(text));
        assert!(images.is_err() || images.is_ok_and(|n| n.is_finite() && 0.0 < n), "{text}");
        assert!(number.is_err() || number.is_ok_and(f64::is_finite), "{text}");
        assert!(typed::whole(text).is_err() || ["0", "-0", "1", "1e3"].contains(&text), "{text}");
        let interval = typed::interval(&format!("{text},{text}"));
        assert_eq!(interval.is_ok(), typed::number(text).is_ok(), "{text}");
    }
    for (what, x) in awkward::SCALARS {
        let both = check::tolerances(&[("rtol", x), ("atol", 0.0)]);
        assert_eq!(both.is_ok(), x.is_finite() && 0.0 < x, "{what}");
    }
}

#[test]
fn conditions_as_they_are_typed_are_finite_or_refused() {
    let scene = Scene::new();
    for text in TYPED {
        let typed = format!("age={text}");
        match Conditions::given(Some(&scene.table), "--given", Some(&typed), &Silent) {
            Ok(given) => {
                let vectors = given.unwrap().vectors;
                assert!(vectors.iter().all(|x| x.is_finite()), "{text}: {vectors:?}");
            }
            Err(error) => assert!(error.to_string().starts_with("--given"), "{text}: {error}"),
        }
        for place in &scene.places {
            // Whether there is a class of a number the model says.
            assert!(place.class(text).is_err() || typed::whole(text).is_ok(), "{text}");
        }
    }
}

#[test]
fn rows_are_carried_between_times_of_the_flow_or_refused() {
    let scene = Scene::new();
    let (file, out) = (scene.out("rows.npy"), scene.out("carried.npy"));
    let changes =
        SampleChanges { solver: Some("euler".into()), steps: Some(2), ..SampleChanges::default() };
    let request = Request::new(&scene.recipe, &changes, 1, 1).unwrap();
    let push = |from, to| Push {
        model: &scene.points,
        request: request.clone(),
        seen: None,
        from,
        to,
        told: &Silent,
    };
    for set in awkward::rows(6, 2) {
        let _ = fs::remove_file(&file);
        write_array(&file, &[set.rows.len() / 2, 2], set.rows.iter().copied());
        for (what, x) in awkward::SCALARS {
            for (from, to) in [(Some(x), vec![1.0]), (Some(0.0), vec![x]), (None, vec![x])] {
                let pushed = push(from, to).file(&RowForm::Numbers, &file, &out);
                let known = set.finite && (0.0..=1.0).contains(&x) && from.is_some();
                assert!(pushed.is_err() || known, "{} at {what}: {pushed:?}", set.name);
            }
        }
        let forward = push(Some(0.0), vec![1.0]).file(&RowForm::Numbers, &file, &out);
        let good = ["ordinary", "one row", "zeros", "constant rows", "two atoms", "scale 1e-38"];
        assert!(forward.is_ok() || !good.contains(&set.name), "{}: {forward:?}", set.name);
    }
}

#[test]
fn more_samples_than_can_be_are_refused() {
    let scene = Scene::new();
    let folder = scene.out("folder");
    let Place::File(model) = &scene.places[0] else { panic!("a model of its own") };
    for n in [0, 1, 3, 1 << 40, usize::MAX] {
        for batch in [1, n] {
            let request = Request::new(&scene.recipe, &SampleChanges::default(), n, 1).unwrap();
            let request = Request { batch, ..request };
            for is_picture in [false, true] {
                let checked = check_samples(model, &request, is_picture, folder.parent().unwrap());
                assert_eq!(checked.is_ok(), n <= 3, "{n} in batches of {batch}");
            }
        }
    }
}
