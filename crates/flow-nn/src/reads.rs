//! What a network reads of a condition: parts of the sizes that it was built for, and where they
//! are hidden or at an end.

use std::sync::Arc;

use burn::tensor::{Shape, Tensor, TensorData};

use crate::condition::Condition;
use crate::signature::Signature;

impl Condition {
    /// The latent that a network of `size` latent numbers was built for.
    ///
    /// # Panics
    /// When there is none, or one of another size.
    pub(crate) fn expect_latent(&self, size: usize) -> Tensor<2> {
        expect("latent", self.latent.as_ref(), size)
    }

    /// One for each number of the elements that are there, else zero, `[B, d]`; nothing for a
    /// network whose rows are whole.
    ///
    /// # Shapes
    /// - `rows`: `[B, d]`, whose device and precision are taken
    ///
    /// # Panics
    /// When a length is missing or behind the last element.
    #[must_use]
    pub fn within(&self, signature: &Signature, rows: &Tensor<2>) -> Option<Tensor<2>> {
        let [batch, size] = rows.dims();
        let lengths = self.expect_lengths(signature, batch)?;
        let channels = size / signature.shape[0].max(1);
        let mut there = vec![0.0_f32; batch * size];
        for (row, &length) in there.chunks_mut(size.max(1)).zip(lengths.iter()) {
            row[..length * channels].fill(1.0);
        }
        let data = TensorData::new(there, [batch, size]);
        Some(Tensor::from_data(data, (&rows.device(), rows.dtype())))
    }

    /// The lengths of as many rows, if the network reads any.
    ///
    /// # Panics
    /// When there is not one for each row, of at most the elements of a row.
    pub(crate) fn expect_lengths(
        &self,
        signature: &Signature,
        rows: usize,
    ) -> Option<Arc<[usize]>> {
        if !signature.lengths {
            return None;
        }
        let most = signature.shape[0];
        let lengths = self.lengths.clone().unwrap_or_default();
        let fits = lengths.len() == rows && lengths.iter().all(|&length| length <= most);
        assert!(fits, "expected {rows} lengths of at most {most}, got {lengths:?}");
        Some(lengths)
    }

    /// The vector, zero where it is hidden, and one more column that says where: `[B, size + 1]`.
    ///
    /// # Panics
    /// When there is none, or one of another size.
    pub(crate) fn expect_vector(&self, size: usize) -> Tensor<2> {
        let (vector, hidden) = self.shown(expect("condition vector", self.vector.as_ref(), size));
        Tensor::cat(vec![vector, hidden], 1)
    }

    /// The context, zero where it is hidden, `[B, size]`, and where that is, `[B, 1]`.
    ///
    /// # Panics
    /// When there is none, or one of another size.
    pub(crate) fn expect_context(&self, size: usize) -> (Tensor<2>, Tensor<2>) {
        self.shown(expect("conditioning row", self.context.as_ref(), size))
    }

    /// Rows with zeros where they are hidden, whatever they hold, and a column of ones there.
    fn shown(&self, rows: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let [n, size] = rows.dims();
        match &self.hidden {
            None => {
                let column = Tensor::zeros([n, 1], (&rows.device(), rows.dtype()));
                (rows, column)
            }
            Some(hidden) => {
                let hidden = hidden.clone().unsqueeze_dim::<2>(1); // [B, 1]
                let column = hidden.clone().float().cast(rows.dtype());
                (rows.mask_fill(hidden.expand(Shape::new([n, size])), 0.0), column)
            }
        }
    }
}

fn expect(what: &str, part: Option<&Tensor<2>>, size: usize) -> Tensor<2> {
    let found = part.map(|part| part.dims()[1]);
    assert!(found == Some(size), "expected a {what} of {size} numbers per row, got {found:?}");
    part.cloned().expect("its size has just been read")
}
