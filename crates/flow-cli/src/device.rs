//! Devices by name.

use anyhow::Result;
use burn::tensor::Device;

use crate::exit::usage;

/// Backends that can be built in, each with whether this binary holds it: they are features of
/// flow-cli of the same names.
macro_rules! backends {
    ($($name:literal),+) => { [$(($name, cfg!(feature = $name))),+] };
}
const KNOWN: [(&str, bool); 8] =
    backends!["flex", "ndarray", "wgpu", "vulkan", "metal", "webgpu", "cuda", "rocm"];

/// Backends that this binary holds.
pub(crate) fn built_in() -> Vec<&'static str> {
    KNOWN.into_iter().filter_map(|(name, built)| built.then_some(name)).collect()
}

/// The device of a name such as `flex`, `vulkan` or `cuda:1`.
///
/// A GPU is asked for one small sum at once, so that a missing driver is said here.
pub(crate) fn parse(name: &str) -> Result<Device> {
    let (backend, index) = match name.split_once(':') {
        Some((backend, index)) => {
            let index = index.parse().map_err(|_| {
                usage!("the device `{name}` has no number after its colon, try `{backend}:0`")
            })?;
            (backend, index)
        }
        None => (name, 0),
    };
    // Burn panics where there is no driver or no such GPU; the sentence below says it better.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let opened = std::panic::catch_unwind(|| open(backend, index));
    std::panic::set_hook(hook);
    opened.unwrap_or_else(|_| {
        Err(usage!("the device `{name}` is not there, `flow list` shows what is built in"))
    })
}

#[cfg_attr(
    not(any(feature = "wgpu", feature = "cuda", feature = "rocm")),
    expect(unused_variables, reason = "indices matter to GPUs only")
)]
fn open(backend: &str, index: usize) -> Result<Device> {
    match backend {
        #[cfg(feature = "flex")]
        "flex" => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        "ndarray" => Ok(
            #[expect(deprecated, reason = "offered for as long as Burn has it")]
            Device::ndarray(),
        ),
        #[cfg(feature = "wgpu")]
        "wgpu" | "vulkan" | "metal" | "webgpu" if built_in().contains(&backend) => {
            use burn::tensor::DeviceKind;
            let kind = match index {
                0 => DeviceKind::DefaultDevice,
                i => DeviceKind::DiscreteGpu(i),
            };
            Ok(probed(match backend {
                #[cfg(feature = "vulkan")]
                "vulkan" => Device::vulkan(kind),
                #[cfg(feature = "metal")]
                "metal" => Device::metal(kind),
                #[cfg(feature = "webgpu")]
                "webgpu" => Device::webgpu(kind),
                _ => Device::wgpu(kind),
            }))
        }
        #[cfg(feature = "cuda")]
        "cuda" => Ok(probed(Device::cuda(index))),
        #[cfg(feature = "rocm")]
        "rocm" => Ok(probed(Device::rocm(index))),
        known if KNOWN.iter().any(|(name, _)| *name == known) => Err(usage!(
            "the device `{known}` is not built in (built in: {}), use `cargo xtask train --backend \
             {known}` or build with `--features {known}`",
            built_in().join(", ")
        )),
        _ => Err(usage!("there is no device `{backend}`, built in are: {}", built_in().join(", "))),
    }
}

#[cfg(any(feature = "wgpu", feature = "cuda", feature = "rocm"))]
fn probed(device: Device) -> Device {
    let sum = burn::tensor::Tensor::<1>::ones([2], &device).sum().into_scalar::<f32>();
    assert!((sum - 2.0).abs() < 1e-6, "expected 1 + 1 = 2, got {sum}");
    device
}

/// An upper limit for `--threads`, above the cores of the largest machines.
const MOST_THREADS: usize = 1024;

/// Limits the threads of the CPU backend.
pub(crate) fn limit_threads(n: usize) -> Result<()> {
    if MOST_THREADS < n {
        return Err(usage!(
            "--threads is {n}, give at most {MOST_THREADS}, and no more than cores"
        ));
    }
    Ok(rayon::ThreadPoolBuilder::new().num_threads(n).build_global()?)
}
