//! A graph that computes every operation with Burn's own, as soon as it is told of it, so that the
//! two descriptions of a network can be compared number by number.

use burn::module::ParamId;
use burn::tensor::activation::{selu, sigmoid};
use burn::tensor::{Device, Int, Tensor, TensorData};
use flow_nn::graph::{Function, Graph, Inputs, Value};
use flow_nn::{Condition, Network, Time};

/// Rank of all values: those with fewer sides have ones in front, and their rank beside them.
const RANK: usize = 6;

/// The input of classes, which are no numbers of single precision.
const CLASS: Value = Value(usize::MAX);

/// Numbers with their shape.
#[derive(Clone)]
struct Numbers {
    shape: Vec<usize>,
    flat: Vec<f32>,
}

impl Numbers {
    fn new(shape: &[usize], flat: Vec<f32>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), flat.len(), "{shape:?}");
        Self { shape: shape.to_vec(), flat }
    }

    fn of<const D: usize>(tensor: Tensor<D>, rank: usize) -> Self {
        let shape = tensor.dims()[D - rank..].to_vec();
        Self::new(&shape, tensor.into_data().try_into_vec().unwrap())
    }

    fn tensor<const D: usize>(&self) -> Tensor<D> {
        let mut shape = vec![1; D - self.shape.len()];
        shape.extend(&self.shape);
        Tensor::from_data(TensorData::new(self.flat.clone(), shape), &Device::flex())
    }
}

/// A graph that computes.
#[derive(Default)]
struct Computed {
    values: Vec<Numbers>,
    /// The class of each row.
    classes: Vec<i64>,
}

impl Computed {
    fn put(&mut self, numbers: Numbers) -> Value {
        self.values.push(numbers);
        Value(self.values.len() - 1)
    }

    fn at(&self, value: Value) -> &Numbers {
        &self.values[value.0]
    }

    fn both(
        &mut self,
        a: Value,
        b: Value,
        operation: impl Fn(Tensor<RANK>, Tensor<RANK>) -> Tensor<RANK>,
    ) -> Value {
        let (a, b) = (self.at(a), self.at(b));
        let rank = a.shape.len().max(b.shape.len());
        let result = Numbers::of(operation(a.tensor(), b.tensor()), rank);
        self.put(result)
    }

    fn one(&mut self, x: Value, operation: impl Fn(Tensor<RANK>, usize) -> Tensor<RANK>) -> Value {
        let x = self.at(x);
        let rank = x.shape.len();
        let result = Numbers::of(operation(x.tensor(), RANK - rank), rank);
        self.put(result)
    }
}

impl Graph for Computed {
    fn parameter(&mut self, _: ParamId, shape: &[usize], values: &dyn Fn() -> Vec<f32>) -> Value {
        self.put(Numbers::new(shape, values()))
    }

    fn constant(&mut self, shape: &[usize], values: &[f32]) -> Value {
        self.put(Numbers::new(shape, values.to_vec()))
    }

    fn add(&mut self, a: Value, b: Value) -> Value {
        self.both(a, b, |a, b| a + b)
    }

    fn multiply(&mut self, a: Value, b: Value) -> Value {
        self.both(a, b, |a, b| a * b)
    }

    fn matmul(&mut self, a: Value, b: Value) -> Value {
        self.both(a, b, Tensor::matmul)
    }

    fn map(&mut self, function: Function, x: Value) -> Value {
        self.one(x, |x, _| match function {
            Function::Sigmoid => sigmoid(x),
            Function::Erf => x.erf(),
            Function::Cos => x.cos(),
            Function::Sin => x.sin(),
            Function::Selu => selu(x),
        })
    }

    fn concat(&mut self, parts: &[Value], axis: usize) -> Value {
        let rank = self.at(parts[0]).shape.len();
        let parts: Vec<Tensor<RANK>> = parts.iter().map(|&part| self.at(part).tensor()).collect();
        self.put(Numbers::of(Tensor::cat(parts, RANK - rank + axis), rank))
    }

    fn slice(&mut self, x: Value, axis: usize, start: usize, end: usize) -> Value {
        self.one(x, |x, before| x.narrow(before + axis, start, end - start))
    }

    fn reshape(&mut self, x: Value, shape: &[i64]) -> Value {
        let Numbers { shape: old, flat } = self.at(x).clone();
        let side = |(i, &side): (usize, &i64)| if side == 0 { old[i] as i64 } else { side };
        let shape: Vec<i64> = shape.iter().enumerate().map(side).collect();
        let known: i64 = shape.iter().filter(|side| 0 < **side).product();
        let left = flat.len() as i64 / known;
        let shape: Vec<usize> =
            shape.iter().map(|&side| if side < 0 { left } else { side } as usize).collect();
        self.put(Numbers::new(&shape, flat))
    }

    fn reshape_like(&mut self, x: Value, like: Value) -> Value {
        let (flat, shape) = (self.at(x).flat.clone(), self.at(like).shape.clone());
        self.put(Numbers::new(&shape, flat))
    }

    fn transpose(&mut self, x: Value, order: &[usize]) -> Value {
        self.one(x, |x, before| {
            let all: Vec<isize> =
                (0..before).chain(order.iter().map(|i| before + i)).map(|i| i as isize).collect();
            x.permute(<[isize; RANK]>::try_from(all).unwrap())
        })
    }

    fn softmax(&mut self, x: Value) -> Value {
        self.one(x, |x, _| burn::tensor::activation::softmax(x, RANK - 1))
    }

    fn standardise(&mut self, x: Value, groups: usize, epsilon: f64) -> Value {
        assert_eq!((self.at(x).shape.len(), self.at(x).shape[1]), (3, groups));
        self.one(x, |x, _| {
            let centred = x.clone() - x.mean_dim(RANK - 1);
            let variance = centred.clone().square().mean_dim(RANK - 1);
            centred / (variance + epsilon).sqrt()
        })
    }

    fn convolve(
        &mut self,
        x: Value,
        weight: Value,
        bias: Option<Value>,
        stride: usize,
        padding: usize,
    ) -> Value {
        let options = burn::tensor::ops::ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1);
        let bias = bias.map(|bias| self.at(bias).tensor::<1>());
        let [x, weight] = [x, weight].map(|value| self.at(value).tensor::<4>());
        let y = burn::tensor::module::conv2d(x, weight, bias, options);
        self.put(Numbers::of(y, 4))
    }

    fn double(&mut self, x: Value) -> Value {
        let Numbers { shape, flat } = self.at(x).clone();
        let &[b, c, h, w] = shape.as_slice() else { panic!("no image: {shape:?}") };
        let at = |plane: usize, row: usize, column: usize| (plane * h + row / 2) * w + column / 2;
        let planes = (0..b * c).flat_map(|p| (0..2 * h).map(move |row| (p, row)));
        let pixels = planes.flat_map(|(p, row)| (0..2 * w).map(move |column| (p, row, column)));
        let doubled = pixels.map(|(p, row, column)| flat[at(p, row, column)]).collect();
        self.put(Numbers::new(&[b, c, 2 * h, 2 * w], doubled))
    }

    fn gather(&mut self, table: Value, rows: Value) -> Value {
        assert_eq!(rows, CLASS);
        let classes = TensorData::new(self.classes.clone(), [self.classes.len()]);
        let rows = Tensor::<1, Int>::from_data(classes, &Device::flex());
        let picked = self.at(table).tensor::<2>().select(0, rows);
        self.put(Numbers::of(picked, 2))
    }
}

/// What a network answers by its graph; nothing where it has none. Of the condition there must be
/// all that its signature names.
pub(crate) fn by_graph(
    network: &dyn Network,
    x: Tensor<2>,
    time: &Time,
    condition: &Condition,
) -> Option<Vec<f32>> {
    let (signature, [rows, _]) = (network.signature(), x.dims());
    let classes = condition.class.as_ref().map(|class| class.clone().into_data());
    let classes = classes.map(|data| data.convert::<i64>().try_into_vec().unwrap());
    let mut graph = Computed { classes: classes.unwrap_or_default(), ..Computed::default() };
    let mut row = |tensor: Tensor<2>, shape: &[usize]| {
        let shape: Vec<usize> = [rows].iter().chain(shape).copied().collect();
        graph.put(Numbers::new(&shape, tensor.into_data().try_into_vec().unwrap()))
    };
    let each = |t: &Tensor<1>| t.clone().expand([rows]).unsqueeze_dim::<2>(1);
    let part = |part: &Option<Tensor<2>>| part.clone().unwrap();
    let told = 0 < signature.vector || !signature.context.is_empty();
    let inputs = Inputs {
        x: row(x, &signature.shape),
        t: row(each(&time.t), &[1]),
        s: time.s.as_ref().map(|s| row(each(s), &[1])),
        class: (0 < signature.classes).then_some(CLASS),
        vector: (0 < signature.vector).then(|| row(part(&condition.vector), &[signature.vector])),
        context: (!signature.context.is_empty())
            .then(|| row(part(&condition.context), &signature.context)),
        hidden: told.then(|| {
            let hidden = condition.hidden.clone().unwrap().float().unsqueeze_dim::<2>(1);
            row(hidden, &[1])
        }),
        latent: (0 < signature.latent).then(|| row(part(&condition.latent), &[signature.latent])),
    };
    let y = network.graph(&mut graph, &inputs)?;
    let Numbers { shape, flat } = graph.at(y).clone();
    assert_eq!(shape[1..], signature.shape, "the output has the shape of the rows");
    Some(flat)
}
