//! Pieces of requests: samples of one or several requests that share a batch, and their noise.

use std::ops::Range;

use burn::tensor::Tensor;
use flow_sample::{Noise, Seeded};

use crate::request::SampleRequest;

/// Some samples of a request.
pub(crate) struct Piece<'a> {
    pub(crate) request: &'a SampleRequest<'a>,
    pub(crate) range: Range<usize>,
}

/// The rows of all pieces, one piece after the other.
pub(crate) fn joined(pieces: &[Piece<'_>], rows: impl Fn(&Piece<'_>) -> Tensor<2>) -> Tensor<2> {
    match pieces {
        [piece] => rows(piece),
        pieces => Tensor::cat(pieces.iter().map(rows).collect(), 0),
    }
}

/// The noise of a batch of pieces: each meets that of its own seed.
pub(crate) struct Noises<'a>(pub(crate) &'a [Piece<'a>]);

impl Noise for Noises<'_> {
    fn draw(&self, step: usize, like: &Tensor<2>) -> Tensor<2> {
        let mut first = 0;
        let parts = self.0.iter().map(|Piece { request, range }| {
            let rows = first..first + range.len();
            first = rows.end;
            let own = Seeded::new(request.seed).starting_at(range.start);
            own.draw(step, &like.clone().slice([rows]))
        });
        Tensor::cat(parts.collect(), 0)
    }
}
