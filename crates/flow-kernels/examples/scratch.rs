//! scratch
#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::print_stdout)]
use burn::tensor::{Device, Distribution, Tensor};
use flow_kernels::*;
use std::time::Instant;
fn best(mut f: impl FnMut()) -> f64 {
    let mut b = f64::INFINITY;
    for _ in 0..20 {
        let s = Instant::now();
        f();
        b = b.min(s.elapsed().as_secs_f64() * 1e3);
    }
    b
}
fn main() {
    let d = Device::flex();
    let r = |s: [usize; 4]| Tensor::<4>::random(s, Distribution::Normal(0., 1.), &d);
    let a = Tensor::<2>::random([1024, 1024], Distribution::Normal(0., 1.), &d);
    let t = best(|| {
        let _ = a.clone().matmul(a.clone());
    });
    println!("matmul1024 {t:.2} ms {:.0} GF/s", 2.147 / t * 1e3);
    let a = Tensor::<2>::random([4096, 256], Distribution::Normal(0., 1.), &d);
    let b = Tensor::<2>::random([256, 256], Distribution::Normal(0., 1.), &d);
    let t = best(|| {
        let _ = a.clone().matmul(b.clone());
    });
    println!("matmul4096x256x256 {t:.2} ms {:.0} GF/s", 0.537 / t * 1e3);
    for (ci, co, hw, n, k, st) in [
        (64, 64, 32, 64, 3, 1),
        (32, 32, 32, 64, 3, 1),
        (1, 32, 32, 64, 3, 1),
        (64, 64, 16, 64, 3, 1),
        (128, 64, 16, 64, 3, 1),
        (64, 64, 8, 64, 3, 1),
        (64, 64, 28, 64, 3, 1),
        (64, 64, 32, 64, 3, 2),
        (128, 64, 16, 64, 1, 1),
        (32, 1, 32, 64, 3, 1),
    ] {
        let (x, w) = (r([n, ci, hw, hw]), r([co, ci, k, k]));
        let flop = 2.0 * (n * ci * co * k * k * hw * hw / st / st) as f64 / 1e9;
        let p = k / 2;
        let f = best(|| {
            let _ = conv2d(x.clone(), w.clone(), None, st, p);
        });
        let ad = |t: &Tensor<4>| t.clone().autodiff().require_grad();
        let tape = best(|| {
            let y = conv2d(ad(&x), w.clone(), None, st, p);
            std::hint::black_box(y);
        });
        let dx = best(|| {
            let y = conv2d(ad(&x), w.clone(), None, st, p);
            let _ = y.sum().backward();
        });
        let dw = best(|| {
            let y = conv2d(x.clone(), ad(&w), None, st, p);
            let _ = y.sum().backward();
        });
        println!(
            "conv {ci}->{co} {hw} k{k} s{st}: fwd {f:.2} ms ({:.0} GF/s)  dx {:.2} ({:.0}) dw {:.2} ({:.0})",
            flop / f * 1e3,
            dx - tape,
            flop / (dx - tape) * 1e3,
            dw - tape,
            flop / (dw - tape) * 1e3
        );
    }
}
