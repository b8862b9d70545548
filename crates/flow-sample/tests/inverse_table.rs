//! The methods that answer questions beside the exact posterior.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod gaussians;

use burn::tensor::{Device, DType, Tensor};
use flow_sample::*;
use gaussians::*;

#[test]
#[ignore = "prints a table"]
fn table() {
    let json = reference();
    let prior = Gaussians::reference(&json);
    let n = 1000;
    let only = std::env::var("ONLY").unwrap_or_default();
    for (name, problem) in json["problems"].as_object().unwrap() {
        let (a, std) = (numbers(&problem["operator"]), problem["std"].as_f64().unwrap());
        for (q, question) in problem["questions"].as_array().unwrap().iter().enumerate().take(2) {
            let y = numbers(&question["y"]);
            let m = y.len();
            let exact = prior.given(&a, &y, std);
            let noise = ObservationNoise::Gaussian { std };
            let observation =
                Observation::new(Dense::new(rows(&a, 8)), rows(&y, m), noise).unwrap();
            let o = || observation.clone();
            for steps in [20, 50, 200] {
                let mut run = |label: &str, p: &dyn Predictor, sampler: &dyn Sampler| {
                    if !only.is_empty() && !label.contains(&only) { return; }
                    let x0 = flow_sample::prior(5, 0..n, 8, p, &Device::flex()).cast(DType::F64);
                    let start = std::time::Instant::now();
                    let x = match sampler.sample(p, x0, &Way::steps(steps)) {
                        Ok(g) => g.x,
                        Err(e) => { println!("{name} {q} {steps:4} {label:22} {e}"); return; }
                    };
                    let took = start.elapsed().as_secs_f64();
                    let (mean, cov) = moments(&x);
                    let (em, ec) = (exact.mean(), exact.covariance());
                    let dm = (0..8).map(|i| (mean[i]-em[i]).powi(2)/ec[i*8+i]).sum::<f64>()/8.0;
                    let fro = |v: &[f64]| v.iter().map(|v| v*v).sum::<f64>().sqrt();
                    let dc = fro(&cov.iter().zip(&ec).map(|(a,b)| a-b).collect::<Vec<_>>())/fro(&ec);
                    let tr = (0..8).map(|i| cov[i*9]).sum::<f64>()/(0..8).map(|i| ec[i*9]).sum::<f64>();
                    let sh = exact.shares(&x);
                    let tv = 0.5*sh.iter().zip(&exact.weights).map(|(a,b)| (a-b).abs()).sum::<f64>();
                    let mis = host(observation.misfit(&x)).iter().map(|m| m*m).sum::<f64>()/n as f64;
                    println!("{name} {q} {steps:4} {label:22} mean {:.3} cov {dc:.3} trace {tr:.3} shares {tv:.3} misfit {:.2} s {took:.1}", dm.sqrt(), mis.sqrt());
                };
                let ddim = Ddim::default();
                let lang = Langevin { corrections: 1, ratio: 0.3, eta: 0.0 };
                run("exact", &exact, &ddim);
                run("replacement", &Conditioned { predictor: &prior, method: Replacement { observation: o(), iterations: m } }, &ddim);
                run("replacement+L", &Conditioned { predictor: &prior, method: Replacement { observation: o(), iterations: m } }, &lang);
                run("dps", &Conditioned { predictor: &prior, method: Dps { evidence: o(), scale: 1.0 } }, &ddim);
                run("pigdm", &Conditioned { predictor: &prior, method: PiGdm { observation: o(), data_std: 1.0, iterations: m } }, &ddim);
                run("mmps1", &Conditioned { predictor: &prior, method: Mmps { observation: o(), iterations: 1 } }, &ddim);
                run("mmps", &Conditioned { predictor: &prior, method: Mmps { observation: o(), iterations: m } }, &ddim);
                run("mmps+L", &Conditioned { predictor: &prior, method: Mmps { observation: o(), iterations: m } }, &lang);
                if steps < 200 { run("mmps+L5", &Conditioned { predictor: &prior, method: Mmps { observation: o(), iterations: m } }, &Langevin { corrections: 5, ratio: 0.5, eta: 0.0 }); }
            }
        }
    }
    let _ = Tensor::<2>::zeros([1,1], &Device::flex());
}
