//! Blocks of the Inception network: branches over one input, side by side in the channels.

use burn::tensor::Tensor;

use super::layer::{Conv, Reader, chain, greatest_around, halve, mean_around};
use crate::NetworkError;

const ONE: [usize; 2] = [1, 1];
const THREE: [usize; 2] = [3, 3];
const ROW: [usize; 2] = [1, 7];
const COLUMN: [usize; 2] = [7, 1];

/// What a branch does to the input before its convolutions.
#[derive(Clone, Copy, Debug)]
enum Pool {
    None,
    Mean,
    Greatest,
    Halve,
}

/// A pooling and a chain of convolutions; `fork` are two more, whose outputs lie side by side.
#[derive(Clone, Debug)]
struct Branch {
    pool: Pool,
    chain: Vec<Conv>,
    fork: Option<[Conv; 2]>,
}

/// Branches over one input.
#[derive(Clone, Debug)]
pub(super) struct Block(Vec<Branch>);

impl Block {
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        Tensor::cat(self.0.iter().map(|branch| branch.forward(x.clone())).collect(), 1)
    }
}

impl Branch {
    fn of(chain: Vec<Conv>) -> Self {
        Self { pool: Pool::None, chain, fork: None }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = match self.pool {
            Pool::None => x,
            Pool::Mean => mean_around(x),
            Pool::Greatest => greatest_around(x),
            Pool::Halve => halve(x),
        };
        let x = chain(&self.chain, x);
        match &self.fork {
            Some([a, b]) => Tensor::cat(vec![a.forward(x.clone()), b.forward(x)], 1),
            None => x,
        }
    }
}

/// Windows of 5 x 5 and twice 3 x 3, at 35 x 35 pixels; `pooled` channels from the mean.
pub(super) fn small(r: &Reader<'_>, from: usize, pooled: usize) -> Result<Block, NetworkError> {
    let mean = r.same("branch_pool", [from, pooled], ONE)?;
    Ok(Block(vec![
        Branch::of(vec![r.same("branch1x1", [from, 64], ONE)?]),
        Branch::of(vec![
            r.same("branch5x5_1", [from, 48], ONE)?,
            r.same("branch5x5_2", [48, 64], [5, 5])?,
        ]),
        Branch::of(vec![
            r.same("branch3x3dbl_1", [from, 64], ONE)?,
            r.same("branch3x3dbl_2", [64, 96], THREE)?,
            r.same("branch3x3dbl_3", [96, 96], THREE)?,
        ]),
        Branch { pool: Pool::Mean, ..Branch::of(vec![mean]) },
    ]))
}

/// Halves 35 x 35 pixels.
pub(super) fn first_reduction(r: &Reader<'_>, from: usize) -> Result<Block, NetworkError> {
    Ok(Block(vec![
        Branch::of(vec![r.valid("branch3x3", [from, 384], 3, 2)?]),
        Branch::of(vec![
            r.same("branch3x3dbl_1", [from, 64], ONE)?,
            r.same("branch3x3dbl_2", [64, 96], THREE)?,
            r.valid("branch3x3dbl_3", [96, 96], 3, 2)?,
        ]),
        Branch { pool: Pool::Halve, ..Branch::of(Vec::new()) },
    ]))
}

/// Windows of 7 x 7 as rows and columns, at 17 x 17 pixels, with `inner` channels between.
pub(super) fn middle(r: &Reader<'_>, inner: usize) -> Result<Block, NetworkError> {
    let from = 768;
    let mean = r.same("branch_pool", [from, 192], ONE)?;
    Ok(Block(vec![
        Branch::of(vec![r.same("branch1x1", [from, 192], ONE)?]),
        Branch::of(vec![
            r.same("branch7x7_1", [from, inner], ONE)?,
            r.same("branch7x7_2", [inner, inner], ROW)?,
            r.same("branch7x7_3", [inner, 192], COLUMN)?,
        ]),
        Branch::of(vec![
            r.same("branch7x7dbl_1", [from, inner], ONE)?,
            r.same("branch7x7dbl_2", [inner, inner], COLUMN)?,
            r.same("branch7x7dbl_3", [inner, inner], ROW)?,
            r.same("branch7x7dbl_4", [inner, inner], COLUMN)?,
            r.same("branch7x7dbl_5", [inner, 192], ROW)?,
        ]),
        Branch { pool: Pool::Mean, ..Branch::of(vec![mean]) },
    ]))
}

/// Halves 17 x 17 pixels.
pub(super) fn second_reduction(r: &Reader<'_>) -> Result<Block, NetworkError> {
    let from = 768;
    Ok(Block(vec![
        Branch::of(vec![
            r.same("branch3x3_1", [from, 192], ONE)?,
            r.valid("branch3x3_2", [192, 320], 3, 2)?,
        ]),
        Branch::of(vec![
            r.same("branch7x7x3_1", [from, 192], ONE)?,
            r.same("branch7x7x3_2", [192, 192], ROW)?,
            r.same("branch7x7x3_3", [192, 192], COLUMN)?,
            r.valid("branch7x7x3_4", [192, 192], 3, 2)?,
        ]),
        Branch { pool: Pool::Halve, ..Branch::of(Vec::new()) },
    ]))
}

/// Windows of 3 x 3 whose last step forks, at 8 x 8 pixels. The last of the two such blocks pools
/// by the maximum, a peculiarity of the network from which FID was first computed.
pub(super) fn large(r: &Reader<'_>, from: usize, last: bool) -> Result<Block, NetworkError> {
    let fork = |a: &str, b: &str| -> Result<_, NetworkError> {
        Ok(Some([r.same(a, [384, 384], [1, 3])?, r.same(b, [384, 384], [3, 1])?]))
    };
    let pooled = r.same("branch_pool", [from, 192], ONE)?;
    let pool = if last { Pool::Greatest } else { Pool::Mean };
    Ok(Block(vec![
        Branch::of(vec![r.same("branch1x1", [from, 320], ONE)?]),
        Branch {
            fork: fork("branch3x3_2a", "branch3x3_2b")?,
            ..Branch::of(vec![r.same("branch3x3_1", [from, 384], ONE)?])
        },
        Branch {
            fork: fork("branch3x3dbl_3a", "branch3x3dbl_3b")?,
            ..Branch::of(vec![
                r.same("branch3x3dbl_1", [from, 448], ONE)?,
                r.same("branch3x3dbl_2", [448, 384], THREE)?,
            ])
        },
        Branch { pool, ..Branch::of(vec![pooled]) },
    ]))
}
