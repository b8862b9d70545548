//! Models, what is asked of them, and tables without holes.

use flow_datasets::table::{Column, Type};
use flow_datasets::{Holes, Table};
use flow_model::AnswerPlan;
use flow_ode::Method;
use flow_run::{Given, Model, Request, RunError, SampleChanges, impute};

use crate::{Awkward, Row, SIZE};

pub(crate) const TABLE: &[Row] = &[
    ("Model::velocity", |a| {
        let (points, latent) = (&a.scene.points, &a.scene.latent);
        let found = points.velocity(a.rows, a.x, &[]);
        let tame = a.rows.iter().all(|x| x.abs() < 1e3) && (0.0..=1.0).contains(&a.x);
        assert!(!tame || found.is_some(), "{:?} at {}", a.rows, a.x);
        let whole = |all: &[f32]| all.len() == a.rows.len() && all.iter().all(|x| x.is_finite());
        assert!(found.is_none_or(|found| whole(&found)), "{:?} at {}", a.rows, a.x);
        // No whole points, and no latent for each.
        assert_eq!(points.velocity(&[a.rows, &[0.5]].concat(), a.x, &[]), None);
        let latents = vec![a.x as f32; a.count.min(a.rows.len() + 1)];
        let told = latent.velocity(&vec![0.5; a.rows.len()], 0.5, &latents);
        assert!(told.is_none() || latents.len() == a.rows.len());
        // As many as there are numbers in the points, because both have two.
        let latents = vec![0.5; a.rows.len()];
        assert!(latent.velocity(&latents, 0.5, &latents).is_some());
        Ok(vec![])
    }),
    ("Model::along_flow", |a| {
        for model in [&a.scene.points, &a.scene.classes] {
            let request = model.along_flow(request(a, 2)?, a.x);
            assert!(request.adapts());
            // One that no step can meet takes its time, and is tried below.
            if !is_tiny(a.x) {
                drawn(model, &request)?;
            }
        }
        Ok(vec![])
    }),
    ("Model::labels", |a| {
        let model = &a.scene.classes;
        let request = |class| Ok::<_, RunError>(Request { class, ..request(a, 3)? });
        for range in [0..3, 0..0, a.count..a.count, a.count..a.count.saturating_add(2)] {
            let labels = model.labels(&request(None)?, range.clone())?;
            assert_eq!(labels.unwrap().len(), range.len());
            let one = model.labels(&request(Some(a.count))?, range.clone());
            assert!(one.is_err() || a.count < 3 || range.is_empty());
            assert!(a.scene.points.labels(&request(Some(a.count))?, range).is_err());
        }
        Ok(vec![])
    }),
    ("Model::push", |a| {
        let starts = Some(a.rows.to_vec());
        let given = Given { starts, ..Given::default() };
        let n = a.rows.len() / 2;
        let request = request(a, n)?.fixed(Method::Euler, 2).with_given(given);
        for times in [vec![], vec![a.x], vec![0.0, a.x], vec![a.x, 1.0], vec![0.0, a.x, 1.0]] {
            if let Ok(found) = a.scene.points.push(&request, &times) {
                assert!(found.rows.iter().all(|x| x.is_finite()), "{times:?}: {found:?}");
            }
        }
        let found = a.scene.points.push(&request, &[0.0, 1.0])?;
        assert_eq!(found.rows.len(), a.rows.len());
        Ok(found.rows.into_iter().map(f64::from).collect())
    }),
    ("Request::new", |a| {
        for changes in changes(a) {
            if let Ok(request) = Request::new(&a.scene.recipe, &changes, a.count, 1) {
                assert_eq!(request.n, a.count);
                few(a, &request);
            }
        }
        Request::new(&a.scene.recipe, &SampleChanges::default(), a.count, 1)?;
        Ok(vec![])
    }),
    ("Request::of", |a| {
        for changes in changes(a) {
            let request = Request::of(&a.scene.recipe.sample, &changes, a.count, 1, true);
            if let Ok(request) = request {
                assert!(request.guidance.is_finite() && !request.name().contains("NaN"));
            }
        }
        Ok(vec![])
    }),
    ("Place::request", |a| {
        for place in &a.scene.places {
            for changes in changes(a) {
                if let Ok(request) = place.request(&changes, a.count, 1) {
                    assert_eq!(request.n, a.count);
                    assert!(request.guidance.is_finite());
                }
            }
            place.request(&SampleChanges::default(), a.count, 1)?;
        }
        Ok(vec![])
    }),
    ("Place::guided_request", |a| {
        for place in &a.scene.places {
            for changes in changes(a) {
                for has_guide in [false, true] {
                    let request = place.guided_request(&changes, a.count, 1, has_guide);
                    assert!(request.is_err() || request.is_ok_and(|r| r.guidance.is_finite()));
                }
            }
            place.guided_request(&SampleChanges::default(), a.count, 1, true)?;
        }
        Ok(vec![])
    }),
    ("Request::fixed", |a| {
        let fixed = |steps| Ok::<_, RunError>(request(a, 2)?.fixed(Method::Euler, steps));
        assert!(!fixed(a.count)?.adapts());
        if a.count <= 3 {
            drawn(&a.scene.points, &fixed(a.count)?)?;
        }
        Ok(vec![])
    }),
    ("Request::jumping", |a| {
        let jumping = request(a, 2)?.jumping(a.count)?;
        assert!((1..=3).contains(&a.count), "{} jumps are made", a.count);
        assert_eq!(jumping.sample.steps, a.count);
        Ok(vec![])
    }),
    ("Request::within", |a| {
        let request = request(a, 1)?.within(a.x);
        // Rows do not matter, so that one set is enough for what takes its time.
        if !is_tiny(a.x) || a.rows.len() == SIZE {
            drawn(&a.scene.points, &request)?;
        }
        Ok(vec![])
    }),
    ("Request::with_times", |a| {
        for times in [vec![a.x], vec![0.0, a.x], vec![a.x, 0.5], vec![a.x, a.x]] {
            let request = request(a, 2)?.fixed(Method::Euler, 2).with_times(times.clone());
            if let Ok(samples) = a.scene.points.sample(&request) {
                assert_eq!(samples.states.len(), times.len());
                let all = samples.states.iter().flatten().chain(&samples.rows);
                assert!(all.clone().all(|x| x.is_finite()), "{times:?}: {samples:?}");
                assert!(times.iter().all(|t| (0.0..=1.0).contains(t)), "{times:?}");
            }
        }
        drawn(&a.scene.points, &request(a, 2)?.with_times(vec![a.x]))?;
        Ok(vec![])
    }),
    ("impute", |a| {
        let (model, columns) = (&a.scene.of_table, &a.scene.table);
        let plan = AnswerPlan::typed("mmps", "ddim", 2)?;
        // The rows themselves in cells: what is no number is missing.
        let cell = |x: &f32| Some(x.to_string()).filter(|_| x.is_finite());
        let weights: Vec<_> = a.rows.iter().map(cell).collect();
        let ages = vec![Some("30".to_owned()); weights.len()];
        let table = |weights: &[Option<String>]| {
            let ages = Column::of_cells("age", Type::Integer {}, &ages[..weights.len()]);
            let weights = Column::of_cells("weight", Type::Real { decimals: None }, weights);
            Table::new(vec![weights, ages])
        };
        for table in [table(&weights)?, table(&vec![None; weights.len()])?] {
            let holes = Holes::new(columns, &table)?;
            let fill = |noise, draws| impute(model, columns, &holes, &plan, noise, draws);
            for (noise, draws) in [(a.x, 1), (0.1, a.count)] {
                if let Ok((filled, _)) = fill(noise, draws) {
                    let cells = filled.columns().iter().map(Column::missing).sum::<usize>();
                    assert_eq!(cells, 0, "{filled:?}");
                    assert_eq!(filled.len(), draws * table.len());
                }
            }
            assert!(fill(0.1, 0).is_err());
            assert!(table.is_empty() || fill(0.1, 1 << 40).is_err());
            fill(0.1, 2)?;
        }
        Ok(vec![])
    }),
];

/// Whether it is a tolerance below all that `f32` tells apart.
fn is_tiny(x: f64) -> bool {
    0.0 < x && x < 1e-30
}

/// So many samples of the recipe's own settings.
fn request(a: Awkward<'_>, n: usize) -> Result<Request, RunError> {
    Request::new(&a.scene.recipe, &SampleChanges::default(), n, 1)
}

/// Draws samples, which are finite.
fn drawn(model: &Model, request: &Request) -> Result<(), RunError> {
    let samples = model.sample(request)?;
    assert!(samples.rows.iter().all(|x| x.is_finite()), "{samples:?}");
    Ok(())
}

/// Draws two samples of settings with few steps.
fn few(a: Awkward<'_>, request: &Request) {
    let steps = request.sample.steps;
    if request.adapts() || 20 < steps {
        return;
    }
    // Guidance and schedules of the settings may lead beyond the range of `f32`, which is said.
    let request = Request { n: 2, ..request.clone() };
    match drawn(&a.scene.points, &request) {
        Err(error) => assert!(20 < error.to_string().len(), "{error}"),
        Ok(()) => assert!(0 < steps),
    }
}

/// Settings with one awkward number each.
fn changes(a: Awkward<'_>) -> Vec<SampleChanges> {
    let none = SampleChanges::default;
    let text = |text: String| Some(text);
    let x = a.x;
    vec![
        SampleChanges { steps: Some(a.count), ..none() },
        SampleChanges { shift: Some(x), ..none() },
        SampleChanges { rtol: Some(x), solver: text("dopri5".into()), ..none() },
        SampleChanges { atol: Some(x), solver: text("dopri5".into()), ..none() },
        SampleChanges { rtol: Some(x), atol: Some(x), ..none() },
        SampleChanges { guidance: Some(x), ..none() },
        SampleChanges { guidance_interval: Some([0.0, x]), guidance: Some(2.0), ..none() },
        SampleChanges { guidance_interval: Some([x, 1.0]), guidance: Some(2.0), ..none() },
        SampleChanges { sampler: text(format!("langevin,ratio={x}")), ..none() },
        SampleChanges { grid: text(format!("karras,rho={x}")), steps: Some(2), ..none() },
        SampleChanges { grid: text(format!("given,times=[0.0,{x},1.0]")), ..none() },
        SampleChanges { schedule: text(format!("vp,beta_max={x}")), ..none() },
    ]
}
