//! The contract between a network and everything that trains or samples it.

use burn::module::Module;
use burn::tensor::{Device, Int, Shape, Tensor, TensorData};

/// What a network may know besides `x` and `t`.
///
/// Every field is optional; a network ignores what it was not built for.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    /// Class of each row, `[B]`. The value `classes` (one past the last class) is the null class
    /// of classifier-free guidance (Ho & Salimans 2022, arXiv:2207.12598).
    pub class: Option<Tensor<1, Int>>,
    /// Latent of each row, `[B, z]`, for networks with a latent input.
    pub latent: Option<Tensor<2>>,
}

impl Condition {
    /// No condition at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// One class per row. A class that a network does not know is met when the network is asked.
    #[must_use]
    pub fn classes(class: &[usize], device: &Device) -> Self {
        let class: Vec<i64> = class.iter().map(|&c| c as i64).collect();
        let n = class.len();
        let class = Tensor::from_data(TensorData::new(class, [n]), device);
        Self { class: Some(class), latent: None }
    }

    /// The same condition with a latent for each row, `[B, z]`.
    ///
    /// # Panics
    /// When there are classes for another number of rows.
    #[must_use]
    pub fn with_latent(self, latent: Tensor<2>) -> Self {
        if let Some(class) = &self.class {
            let ([expected], [got, _]) = (class.dims(), latent.dims());
            assert!(expected == got, "expected the latents of {expected} rows, got those of {got}");
        }
        Self { latent: Some(latent), ..self }
    }

    /// The same condition on another device.
    #[must_use]
    pub fn to_device(&self, device: &Device) -> Self {
        Self {
            class: self.class.clone().map(|c| c.to_device(device)),
            latent: self.latent.clone().map(|z| z.to_device(device)),
        }
    }

    /// Rows `start..start + length`.
    ///
    /// # Panics
    /// When the condition has fewer rows.
    #[must_use]
    pub fn narrow(&self, start: usize, length: usize) -> Self {
        if let Some(rows) = self.rows() {
            let within = start.checked_add(length).is_some_and(|end| end <= rows);
            assert!(within, "expected rows of 0..{rows}, got {length} from {start} on");
        }
        Self {
            class: self.class.clone().map(|c| c.narrow(0, start, length)),
            latent: self.latent.clone().map(|z| z.narrow(0, start, length)),
        }
    }

    /// The rows `copies` times over, one copy after the other.
    ///
    /// # Panics
    /// When `copies` is zero.
    #[must_use]
    pub fn repeat(&self, copies: usize) -> Self {
        assert!(0 < copies, "expected at least one copy, got 0");
        Self {
            class: self.class.clone().map(|c| c.repeat_dim(0, copies)),
            latent: self.latent.clone().map(|z| z.repeat_dim(0, copies)),
        }
    }

    /// Rows of the condition, if it says anything.
    #[must_use]
    pub fn rows(&self) -> Option<usize> {
        let class = self.class.as_ref().map(|c| c.dims()[0]);
        class.or_else(|| self.latent.as_ref().map(|z| z.dims()[0]))
    }

    /// The latent that a network of `size` latent numbers was built for.
    ///
    /// # Panics
    /// When there is none, or one of another size.
    pub(crate) fn expect_latent(&self, size: usize) -> Tensor<2> {
        let found = self.latent.as_ref().map(|z| z.dims()[1]);
        assert!(found == Some(size), "expected a latent of {size} numbers per row, got {found:?}");
        self.latent.clone().expect("its size has just been read")
    }
}

/// A network `f(x, t, c)` whose output has the shape of `x`.
///
/// `D` is the rank of `x`: 2 for points `[B, d]`, 4 for images `[B, C, H, W]`.
pub trait Network<const D: usize>: Module {
    /// Evaluates the network.
    ///
    /// # Shapes
    /// - `x`: `[B, ..]`
    /// - `t`: `[B]`, time from noise (0) to data (1)
    /// - output: the shape of `x`
    fn forward(&self, x: Tensor<D>, t: Tensor<1>, condition: &Condition) -> Tensor<D>;

    /// Evaluates the network at one time for all rows, as a solver does.
    ///
    /// Networks that embed the time do it once here, instead of once for each row.
    ///
    /// # Shapes
    /// - `x`: `[B, ..]`
    /// - `t`: `[1]`
    /// - output: the shape of `x`
    fn forward_at(&self, x: Tensor<D>, t: Tensor<1>, condition: &Condition) -> Tensor<D> {
        let batch = x.dims()[0];
        self.forward(x, t.expand(Shape::new([batch])), condition)
    }

    /// Number of classes that [`Condition::class`] may name, 0 for an unconditional network.
    fn classes(&self) -> usize {
        0
    }

    /// Numbers in a row of [`Condition::latent`], 0 for a network without a latent input.
    fn latent(&self) -> usize {
        0
    }
}
