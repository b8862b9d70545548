//! Conditions: the inputs of a network besides `x` and the time.

use std::sync::Arc;

use burn::tensor::kind::Basic;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::signature::Signature;

/// What a network may know besides `x` and the time, a row for each sample.
///
/// Every part is optional. A network reads the parts that its [`Signature`] names and no others.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Condition {
    /// Class of each row, `[B]`. The value `classes` (one past the last class) is the null class
    /// of classifier-free guidance (Ho & Salimans 2022, arXiv:2207.12598).
    pub class: Option<Tensor<1, Int>>,
    /// Numbers of each row, `[B, vector]`: standardised measurements, or a mask of what is known.
    pub vector: Option<Tensor<2>>,
    /// A row that conditions each row, `[B, product of context]`: an image to upsample, say.
    pub context: Option<Tensor<2>>,
    /// Latent of each row, `[B, latent]`.
    pub latent: Option<Tensor<2>>,
    /// Elements of each row that are there, for sequences that may end early. They stay on the
    /// host, where sizes are known without waiting for a device.
    pub lengths: Option<Arc<[usize]>>,
    /// Rows whose vector and context are hidden, `[B]`, as guidance does; none if there are none.
    pub hidden: Option<Tensor<1, Bool>>,
}

/// Operations on the rows of a part, whatever its kind and rank.
trait Part: Sized {
    fn rows(&self) -> usize;
    fn repeat(&self, copies: usize) -> Self;
    fn narrow_rows(&self, start: usize, length: usize) -> Self;
    fn move_to(&self, device: &Device) -> Self;
}

impl<const D: usize, K: Basic> Part for Tensor<D, K> {
    fn rows(&self) -> usize {
        self.dims()[0]
    }

    fn repeat(&self, copies: usize) -> Self {
        self.clone().repeat_dim(0, copies)
    }

    fn narrow_rows(&self, start: usize, length: usize) -> Self {
        self.clone().narrow(0, start, length)
    }

    fn move_to(&self, device: &Device) -> Self {
        self.clone().to_device(device)
    }
}

impl Part for Arc<[usize]> {
    fn rows(&self) -> usize {
        self.len()
    }

    fn repeat(&self, copies: usize) -> Self {
        <[usize]>::repeat(self, copies).into()
    }

    fn narrow_rows(&self, start: usize, length: usize) -> Self {
        self[start..start + length].into()
    }

    fn move_to(&self, _: &Device) -> Self {
        Arc::clone(self)
    }
}

/// Each part that is there, through one operation. A closure cannot take tensors of three kinds.
macro_rules! each {
    ($condition:ident, $part:ident => $operation:expr) => {
        Condition {
            class: $condition.class.as_ref().map(|$part| $operation),
            vector: $condition.vector.as_ref().map(|$part| $operation),
            context: $condition.context.as_ref().map(|$part| $operation),
            latent: $condition.latent.as_ref().map(|$part| $operation),
            lengths: $condition.lengths.as_ref().map(|$part| $operation),
            hidden: $condition.hidden.as_ref().map(|$part| $operation),
        }
    };
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
        Self { class: Some(class), ..Self::default() }
    }

    /// The same condition with numbers for each row, `[B, k]`.
    ///
    /// # Panics
    /// When the condition has another number of rows.
    #[must_use]
    pub fn with_vector(self, vector: Tensor<2>) -> Self {
        self.expect_rows("vectors", vector.rows());
        Self { vector: Some(vector), ..self }
    }

    /// The same condition with one more number at the end of each row's vector, `[B]`.
    ///
    /// # Panics
    /// When the condition has another number of rows.
    #[must_use]
    pub fn with_number(self, number: Tensor<1>) -> Self {
        self.expect_rows("numbers", number.rows());
        let column = number.unsqueeze_dim::<2>(1);
        let vector = match self.vector.clone() {
            Some(vector) => Tensor::cat(vec![vector, column], 1),
            None => column,
        };
        self.with_vector(vector)
    }

    /// The same condition with a conditioning row for each row, `[B, k]`.
    ///
    /// # Panics
    /// When the condition has another number of rows.
    #[must_use]
    pub fn with_context(self, context: Tensor<2>) -> Self {
        self.expect_rows("contexts", context.rows());
        Self { context: Some(context), ..self }
    }

    /// The same condition with a latent for each row, `[B, z]`.
    ///
    /// # Panics
    /// When the condition has another number of rows.
    #[must_use]
    pub fn with_latent(self, latent: Tensor<2>) -> Self {
        self.expect_rows("latents", latent.rows());
        Self { latent: Some(latent), ..self }
    }

    /// The same condition with the number of elements that are there of each row.
    ///
    /// # Panics
    /// When the condition has another number of rows.
    #[must_use]
    pub fn with_lengths(self, lengths: &[usize]) -> Self {
        self.expect_rows("lengths", lengths.len());
        Self { lengths: Some(lengths.into()), ..self }
    }

    /// The same condition with vector and context of some rows hidden, `[B]`.
    ///
    /// # Panics
    /// When the condition has another number of rows.
    #[must_use]
    pub fn with_hidden(self, hidden: Tensor<1, Bool>) -> Self {
        self.expect_rows("flags", hidden.rows());
        Self { hidden: Some(hidden), ..self }
    }

    fn expect_rows(&self, what: &str, got: usize) {
        if let Some(expected) = self.rows() {
            assert!(expected == got, "expected the {what} of {expected} rows, got those of {got}");
        }
    }

    /// What guidance moves away from: the null class, vector and context hidden, the latent kept.
    #[must_use]
    pub fn hide(&self, signature: &Signature) -> Self {
        let null = |class: &Tensor<1, Int>| class.zeros_like() + signature.classes as i64;
        let read = self.vector.as_ref().or(self.context.as_ref());
        let all =
            |part: &Tensor<2>| Tensor::<1, Int>::ones([part.rows()], &part.device()).equal_elem(1);
        Self { class: self.class.as_ref().map(null), hidden: read.map(all), ..self.clone() }
    }

    /// Where something is told that [`hide`](Self::hide) hides, `[B]`; nothing for a condition
    /// without a class, a vector and a context.
    #[must_use]
    pub fn told(&self, signature: &Signature) -> Option<Tensor<1, Bool>> {
        let classes = signature.classes as i64;
        let class = self.class.as_ref().map(|class| class.clone().not_equal_elem(classes));
        let read = self.vector.as_ref().or(self.context.as_ref());
        let shown = read.map(|part| match &self.hidden {
            Some(hidden) => hidden.clone().bool_not(),
            None => Tensor::<1, Int>::ones([part.rows()], &part.device()).equal_elem(1),
        });
        match (class, shown) {
            (Some(class), Some(shown)) => Some(class.bool_or(shown)),
            (class, shown) => class.or(shown),
        }
    }

    /// The part that a network of this signature can read.
    #[must_use]
    pub fn only(&self, signature: &Signature) -> Self {
        let Self { class, vector, context, latent, lengths, hidden } = self.clone();
        let vector = vector.filter(|_| 0 < signature.vector);
        let context = context.filter(|_| !signature.context.is_empty());
        Self {
            class: class.filter(|_| 0 < signature.classes),
            latent: latent.filter(|_| 0 < signature.latent),
            lengths: lengths.filter(|_| signature.lengths),
            hidden: hidden.filter(|_| vector.is_some() || context.is_some()),
            vector,
            context,
        }
    }

    /// The same condition on another device.
    #[must_use]
    pub fn to_device(&self, device: &Device) -> Self {
        each!(self, part => part.move_to(device))
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
        each!(self, part => part.narrow_rows(start, length))
    }

    /// The rows `copies` times over, one copy after the other.
    ///
    /// # Panics
    /// When `copies` is zero.
    #[must_use]
    pub fn repeat(&self, copies: usize) -> Self {
        assert!(0 < copies, "expected at least one copy, got 0");
        each!(self, part => part.repeat(copies))
    }

    /// Rows of the condition, if it says anything.
    #[must_use]
    pub fn rows(&self) -> Option<usize> {
        let class = self.class.as_ref().map(Part::rows);
        let rows = [&self.vector, &self.context, &self.latent];
        let rows = rows.into_iter().flatten().map(Part::rows).next();
        let lengths = self.lengths.as_ref().map(Part::rows);
        class.or(rows).or(lengths).or(self.hidden.as_ref().map(Part::rows))
    }
}
