//! Rows as tokens, and back.

use burn::tensor::{Device, Tensor, TensorData};

use crate::error::{NetworkError, multiple, positive};

/// Ratio of the highest to the lowest frequency of a position.
const FREQUENCY_RANGE: f64 = 1e4;

/// The tokens of rows of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Grid {
    /// `[d]`, numbers or the columns of a table: a token for each, which holds its number at its
    /// own place and zeros elsewhere. A linear map of it is then a vector of the column, times the
    /// number (Gorishniy et al. 2021, arXiv:2106.11959, section 3.3).
    Columns(usize),
    /// `[length, channels]`, a sequence: a token for each element.
    Elements { length: usize, channels: usize },
    /// `[channels, height, width]`, an image: a token for each square patch, row by row.
    Patches { channels: usize, rows: usize, columns: usize, patch: usize },
}

impl Grid {
    /// The tokens of rows of a shape, patches of an image having `patch` pixels to a side.
    ///
    /// # Errors
    /// When a side is zero, the patch does not divide an image, or rows have more than three sides.
    pub(super) fn of(shape: &[usize], patch: usize) -> Result<Self, NetworkError> {
        for &side in shape {
            positive("a side of the rows", side)?;
        }
        positive("patch", patch)?;
        match *shape {
            [columns] => Ok(Self::Columns(columns)),
            [length, channels] => Ok(Self::Elements { length, channels }),
            [channels, height, width] => {
                multiple("height of the image", height, patch)?;
                multiple("width of the image", width, patch)?;
                Ok(Self::Patches { channels, rows: height / patch, columns: width / patch, patch })
            }
            _ => Err(NetworkError::Shape {
                kind: "dit",
                need: "points [d], sequences [length, channels] or images [channels, height, width]",
                shape: shape.to_vec(),
            }),
        }
    }

    /// Number of tokens, the largest number if there are more.
    pub(super) fn count(&self) -> usize {
        match *self {
            Self::Columns(columns) => columns,
            Self::Elements { length, .. } => length,
            Self::Patches { rows, columns, .. } => rows.saturating_mul(columns),
        }
    }

    /// Numbers in a token, the largest number if there are more.
    pub(super) fn width(&self) -> usize {
        match *self {
            Self::Columns(columns) => columns,
            Self::Elements { channels, .. } => channels,
            Self::Patches { channels, patch, .. } => {
                patch.saturating_mul(patch).saturating_mul(channels)
            }
        }
    }

    /// Whether the tokens of another grid lie where those of this one do, so that both can be
    /// joined to one. The columns of two tables have nothing to do with each other.
    pub(super) fn lies_on(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Elements { length, .. }, Self::Elements { length: same, .. }) => length == same,
            (
                Self::Patches { rows, columns, .. },
                Self::Patches { rows: same, columns: alike, .. },
            ) => rows == same && columns == alike,
            _ => false,
        }
    }

    /// Rows as tokens.
    ///
    /// # Shapes
    /// - `x`: `[B, d]`, output: `[B, tokens, width]`; a patch is laid out as row, column, channel
    pub(super) fn split(&self, x: Tensor<2>) -> Tensor<3> {
        let [batch, _] = x.dims();
        match *self {
            Self::Columns(columns) => {
                let own = diagonal(columns, &x.device()).cast(x.dtype());
                x.unsqueeze_dim::<3>(2) * own
            }
            Self::Elements { length, channels } => x.reshape([batch, length, channels]),
            Self::Patches { channels, rows, columns, patch } => x
                .reshape([batch, channels, rows, patch, columns, patch])
                .permute([0, 2, 4, 3, 5, 1]) // [B, rows, columns, p, p, C]
                .reshape([batch, self.count(), self.width()]),
        }
    }

    /// Tokens as rows, the inverse of [`split`](Self::split).
    ///
    /// # Shapes
    /// - `tokens`: `[B, tokens, width]`, output: `[B, d]`
    pub(super) fn join(&self, tokens: Tensor<3>) -> Tensor<2> {
        let [batch, count, width] = tokens.dims();
        match *self {
            Self::Columns(columns) => {
                let own = diagonal(columns, &tokens.device()).cast(tokens.dtype());
                (tokens * own).sum_dim(2).squeeze_dim(2)
            }
            Self::Elements { .. } => tokens.reshape([batch, count * width]),
            Self::Patches { channels, rows, columns, patch } => tokens
                .reshape([batch, rows, columns, patch, patch, channels])
                .permute([0, 5, 1, 3, 2, 4]) // [B, C, rows, p, columns, p]
                .reshape([batch, count * width]),
        }
    }

    /// The sine-cosine vector of each token's position, `[1, tokens, width]`.
    ///
    /// A coordinate `p` becomes `[sin(p w_i), cos(p w_i)]`, `w_i = 10000^(-i/K)`, `i = 0..K-1`.
    /// Along a sequence it has all of the width; of a patch the first half is its column's and the
    /// second half its row's.
    ///
    /// # Reference
    /// Vaswani et al. (2017), "Attention Is All You Need", arXiv:1706.03762, section 3.5, in the
    /// order of the code of Peebles & Xie (2023), arXiv:2212.09748.
    pub(super) fn positions(&self, width: usize, device: &Device) -> Tensor<3> {
        let mut numbers = Vec::with_capacity(self.count() * width);
        for token in 0..self.count() {
            match *self {
                Self::Patches { columns, .. } => {
                    numbers.extend(waves(token % columns, width / 2));
                    numbers.extend(waves(token / columns, width / 2));
                }
                Self::Columns(_) | Self::Elements { .. } => numbers.extend(waves(token, width)),
            }
        }
        Tensor::from_data(TensorData::new(numbers, [1, self.count(), width]), device)
    }
}

/// The sines and cosines of a coordinate, `width` of them together.
fn waves(position: usize, width: usize) -> impl Iterator<Item = f32> {
    let count = width / 2;
    let angle = move |i: usize| position as f64 * FREQUENCY_RANGE.powf(-(i as f64) / count as f64);
    let sines = (0..count).map(move |i| angle(i).sin() as f32);
    sines.chain((0..count).map(move |i| angle(i).cos() as f32))
}

/// Ones on the diagonal, `[1, n, n]`.
pub(super) fn diagonal(n: usize, device: &Device) -> Tensor<3> {
    Tensor::<2>::eye(n, device).unsqueeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(shape: [usize; 2]) -> Tensor<2> {
        let count = shape[0] * shape[1];
        let values: Vec<f32> = (0..count).map(|i| i as f32).collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    #[test]
    fn tokens_of_every_shape_join_to_the_rows_that_were_split() {
        for shape in [&[5][..], &[6, 2], &[3, 4, 6]] {
            let grid = Grid::of(shape, 2).unwrap();
            let x = numbers([2, shape.iter().product()]);
            let tokens = grid.split(x.clone());
            assert_eq!(tokens.dims(), [2, grid.count(), grid.width()]);
            assert_eq!(grid.join(tokens).into_data(), x.into_data(), "{shape:?}");
        }
    }

    #[test]
    fn a_patch_is_laid_out_as_row_column_channel() {
        let grid = Grid::of(&[2, 4, 4], 2).unwrap();
        let patches = grid.split(numbers([1, 32]));
        // The patch at the right of the first row of patches: pixels 2, 3, 6, 7 of both channels.
        let patch = patches.narrow(1, 1, 1).into_data().try_into_vec::<f32>().unwrap();
        assert_eq!(patch, [2.0, 18.0, 3.0, 19.0, 6.0, 22.0, 7.0, 23.0]);
    }

    #[test]
    fn a_position_is_its_column_then_its_row() {
        let grid = Grid::of(&[1, 4, 6], 2).unwrap();
        let positions = grid.positions(8, &Device::flex()).narrow(1, 5, 1);
        let got: Vec<f32> = positions.into_data().try_into_vec().unwrap();
        // Token 5 is in column 2 of row 1; frequencies 1 and 1/100.
        let of = |p: f32| [p.sin(), (p / 100.0).sin(), p.cos(), (p / 100.0).cos()];
        let expected = [of(2.0), of(1.0)];
        for (got, expected) in got.iter().zip(expected.as_flattened()) {
            assert!((got - expected).abs() < 1e-6, "{got} for {expected}");
        }
    }
}
