//! Attention in blocks of queries, whose scores stay in the cache. A sample that ends early is one
//! of fewer tokens: what lies behind its end is neither read nor written.
#![allow(unsafe_code, reason = "score blocks are not zeroed before they are written")]

use std::sync::Arc;

use burn::backend::{
    Autodiff, Flex, autodiff::checkpoint::strategy::CheckpointStrategy, flex::FlexTensor,
    tensor::FloatTensor,
};

use super::{
    buffer::{assume_init, with_scratch},
    contiguous, dims,
    gemm::{Matrix, Parallelism, Target, product},
    parallel::for_each,
    simd::{LANES, Simd, WithSimd, dispatch, exp, sum_lanes, sum_of},
    slice, tape, tensor,
};

/// Queries in a block.
const BLOCK: usize = 64;

/// Sizes of one head of one sample, and their number.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    heads: usize,
    tokens: usize,
    width: usize,
}

impl Sizes {
    fn new(q: &FlexTensor) -> Self {
        let [batch, heads, tokens, width] = dims(q);
        Self { heads: batch * heads, tokens, width }
    }

    /// Those of the head numbered `head`, whose sample may end before its last token.
    fn of(self, head: usize, lengths: Option<&[usize]>) -> Self {
        match lengths {
            None => self,
            Some(lengths) => Self { tokens: lengths[head / (self.heads / lengths.len())], ..self },
        }
    }

    /// Numbers of the tokens of one head.
    fn numbers(self) -> usize {
        self.tokens * self.width
    }

    /// Numbers of one head; at least one, as the size of a piece must be.
    fn head_len(&self) -> usize {
        self.numbers().max(1)
    }

    fn work(&self) -> usize {
        self.heads * self.tokens * self.tokens * self.width
    }

    fn scale(&self) -> f32 {
        (self.width as f32).sqrt().recip()
    }

    /// Some rows of `[tokens, width]`.
    fn matrix<'a>(&self, rows: &'a [f32]) -> Matrix<'a> {
        Matrix::rows(rows, rows.len() / self.width, self.width, self.width)
    }
}

pub(super) fn forward(
    q: FlexTensor,
    k: FlexTensor,
    v: FlexTensor,
    lengths: Option<&[usize]>,
) -> FlexTensor {
    let [q, k, v] = [q, k, v].map(contiguous);
    attend([&q, &k, &v], lengths).0
}

/// The result, and the logarithm of each row's normaliser.
fn attend([q, k, v]: [&FlexTensor; 3], lengths: Option<&[usize]>) -> (FlexTensor, Vec<f32>) {
    let sizes = Sizes::new(q);
    let head = sizes.head_len();
    let mut y = vec![0.0; sizes.heads * sizes.tokens * sizes.width];
    let mut log_normaliser = vec![0.0; sizes.heads * sizes.tokens];
    let jobs = y
        .chunks_mut(head)
        .zip(log_normaliser.chunks_mut(sizes.tokens.max(1)))
        .zip(slice(q).chunks(head))
        .zip(slice(k).chunks(head).zip(slice(v).chunks(head)))
        .enumerate();
    for_each(jobs, sizes.work(), |(head, (((y, log_normaliser), q), (k, v)))| {
        let sizes = sizes.of(head, lengths);
        let end = sizes.numbers();
        let log_normaliser = &mut log_normaliser[..sizes.tokens];
        attend_head(sizes, [q, k, v].map(|x| &x[..end]), &mut y[..end], log_normaliser);
    });
    (tensor(y, q.layout().shape().clone()), log_normaliser)
}

fn attend_head(sizes: Sizes, [q, k, v]: [&[f32]; 3], y: &mut [f32], log_normaliser: &mut [f32]) {
    let block = BLOCK * sizes.width;
    let blocks = q.chunks(block).zip(y.chunks_mut(block)).zip(log_normaliser.chunks_mut(BLOCK));
    for ((q, y), log_normaliser) in blocks {
        with_scores(sizes, q, k, |scores| {
            dispatch(Softmax { scores, log_normaliser });
            product(
                Target::Add(y),
                sizes.width,
                1.0,
                Matrix::rows(scores, log_normaliser.len(), sizes.tokens, sizes.tokens),
                sizes.matrix(v),
                Parallelism::None,
            );
        });
    }
}

/// Calls `f` with `q k^T / sqrt(d)`, one row per query.
fn with_scores(sizes: Sizes, q: &[f32], k: &[f32], f: impl FnOnce(&mut [f32])) {
    let queries = q.len() / sizes.width;
    with_scratch(queries * sizes.tokens, |scores| {
        product(
            Target::Write(scores),
            sizes.tokens,
            sizes.scale(),
            sizes.matrix(q),
            sizes.matrix(k).transposed(),
            Parallelism::None,
        );
        // SAFETY: the product has written every element.
        f(unsafe { assume_init(scores) });
    });
}

/// Replaces rows of scores by their softmax.
struct Softmax<'a> {
    scores: &'a mut [f32],
    log_normaliser: &'a mut [f32],
}

impl WithSimd for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let tokens = self.scores.len() / self.log_normaliser.len();
        for (row, log_normaliser) in self.scores.chunks_mut(tokens).zip(self.log_normaliser) {
            let max = maximum(row);
            for s in row.iter_mut() {
                *s = exp::<S>(*s - max);
            }
            let normaliser = sum_of(row, |p| p);
            let factor = normaliser.recip();
            for p in row {
                *p *= factor;
            }
            *log_normaliser = max + normaliser.ln();
        }
    }
}

#[inline(always)]
fn maximum(x: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (blocks, rest) = x.as_chunks::<LANES>();
    for block in blocks {
        for (lane, &x) in lanes.iter_mut().zip(block) {
            *lane = if *lane < x { x } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |a, &b| a.max(b))
}

/// `dL/dq`, `dL/dk` and `dL/dv` from `g = dL/dy`.
fn backward(g: &FlexTensor, saved: &Saved) -> [FlexTensor; 3] {
    let Saved { q, k, v, y, lengths, .. } = saved;
    let (sizes, lengths) = (Sizes::new(q), lengths.as_deref());
    let head = sizes.head_len();
    let mut gradients = [(); 3].map(|()| vec![0.0; sizes.heads * sizes.tokens * sizes.width]);
    let [q_grad, k_grad, v_grad] = &mut gradients;
    let outputs = q_grad.chunks_mut(head).zip(k_grad.chunks_mut(head).zip(v_grad.chunks_mut(head)));
    let inputs = slice(q)
        .chunks(head)
        .zip(slice(k).chunks(head).zip(slice(v).chunks(head)))
        .zip(slice(g).chunks(head).zip(slice(y).chunks(head)))
        .zip(saved.log_normaliser.chunks(sizes.tokens.max(1)));
    for_each(
        outputs.zip(inputs).enumerate(),
        sizes.work(),
        |(head, ((q_grad, (k_grad, v_grad)), (((q, (k, v)), (g, y)), log_normaliser)))| {
            let sizes = sizes.of(head, lengths);
            let end = sizes.numbers();
            let [q, k, v, g, y] = [q, k, v, g, y].map(|x| &x[..end]);
            let log_normaliser = &log_normaliser[..sizes.tokens];
            let gradients = [q_grad, k_grad, v_grad].map(|x| &mut x[..end]);
            Head { sizes, q, k, v, y, log_normaliser }.differentiate(g, gradients);
        },
    );
    gradients.map(|gradient| tensor(gradient, q.layout().shape().clone()))
}

/// One head of one sample.
struct Head<'a> {
    sizes: Sizes,
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    y: &'a [f32],
    log_normaliser: &'a [f32],
}

impl Head<'_> {
    fn differentiate(&self, g: &[f32], [q_grad, k_grad, v_grad]: [&mut [f32]; 3]) {
        let sizes = self.sizes;
        let block = BLOCK * sizes.width;
        let blocks = q_grad
            .chunks_mut(block)
            .zip(self.q.chunks(block))
            .zip(g.chunks(block).zip(self.y.chunks(block)))
            .zip(self.log_normaliser.chunks(BLOCK));
        for (((q_grad, q), (g, y)), log_normaliser) in blocks {
            with_scores(sizes, q, self.k, |p| {
                dispatch(Probabilities { p, log_normaliser });
                let queries = log_normaliser.len();
                let probabilities = Matrix::rows(p, queries, sizes.tokens, sizes.tokens);
                add(sizes, v_grad, 1.0, probabilities.transposed(), sizes.matrix(g));
                with_scratch(p.len(), |scratch| {
                    product(
                        Target::Write(scratch),
                        sizes.tokens,
                        1.0,
                        sizes.matrix(g),
                        sizes.matrix(self.v).transposed(),
                        Parallelism::None,
                    );
                    // SAFETY: the product has written every element.
                    let s_grad = unsafe { assume_init(scratch) };
                    dispatch(ScoreGradient { p, s_grad, g, y, sizes });
                    let s_grad = Matrix::rows(s_grad, queries, sizes.tokens, sizes.tokens);
                    let scale = sizes.scale();
                    add(sizes, q_grad, scale, s_grad, sizes.matrix(self.k));
                    add(sizes, k_grad, scale, s_grad.transposed(), sizes.matrix(q));
                });
            });
        }
    }
}

/// Adds a product to rows of `[_, width]`.
fn add(sizes: Sizes, sum: &mut [f32], alpha: f32, a: Matrix<'_>, b: Matrix<'_>) {
    product(Target::Add(sum), sizes.width, alpha, a, b, Parallelism::None);
}

/// Replaces rows of scores by their softmax, given the logarithms of the normalisers.
struct Probabilities<'a> {
    p: &'a mut [f32],
    log_normaliser: &'a [f32],
}

impl WithSimd for Probabilities<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let tokens = self.p.len() / self.log_normaliser.len();
        for (row, &log_normaliser) in self.p.chunks_mut(tokens).zip(self.log_normaliser) {
            for s in row {
                *s = exp::<S>(*s - log_normaliser);
            }
        }
    }
}

/// Replaces rows of `dL/dP` by `dL/dS = P (dL/dP - <g, y>)`.
struct ScoreGradient<'a> {
    p: &'a [f32],
    s_grad: &'a mut [f32],
    g: &'a [f32],
    y: &'a [f32],
    sizes: Sizes,
}

impl WithSimd for ScoreGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Sizes { tokens, width, .. } = self.sizes;
        let rows = self
            .s_grad
            .chunks_mut(tokens)
            .zip(self.p.chunks(tokens))
            .zip(self.g.chunks(width).zip(self.y.chunks(width)));
        for ((s_grad, p), (g, y)) in rows {
            let mean = inner_product(g, y);
            for (s, &p) in s_grad.iter_mut().zip(p) {
                *s = p * (*s - mean);
            }
        }
    }
}

#[inline(always)]
fn inner_product(x: &[f32], y: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    for (x, y) in x.chunks(LANES).zip(y.chunks(LANES)) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    sum_lanes(lanes)
}

#[derive(Clone, Debug)]
struct Saved {
    q: FlexTensor,
    k: FlexTensor,
    v: FlexTensor,
    y: FlexTensor,
    log_normaliser: Arc<[f32]>,
    lengths: Option<Arc<[usize]>>,
}

pub(super) fn tracked<C: CheckpointStrategy>(
    q: FloatTensor<Autodiff<Flex, C>>,
    k: FloatTensor<Autodiff<Flex, C>>,
    v: FloatTensor<Autodiff<Flex, C>>,
    lengths: Option<Arc<[usize]>>,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = [q.node(), k.node(), v.node()];
    let [q, k, v] = [q, k, v].map(|t| contiguous(t.into_primitive()));
    let (y, log_normaliser) = attend([&q, &k, &v], lengths.as_deref());
    tape::record::<C, _, 3>(nodes, y, |y| {
        let log_normaliser = log_normaliser.into();
        Saved { q, k, v, y: y.clone(), log_normaliser, lengths }
    })
}

impl tape::Saved<3> for Saved {
    fn gradients(self, g: FlexTensor, _: [bool; 3]) -> [Option<FlexTensor>; 3] {
        backward(&contiguous(g), &self).map(Some)
    }
}
