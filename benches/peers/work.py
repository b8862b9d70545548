"""The work of benches/src in PyTorch, torchdiffeq, POT, torchcfm and scipy.

Speaks as flow-bench-work does: each line of input is a number of repetitions, each line of output a
JSON object; the first says what the work is.

    echo 20 | python benches/peers/work.py mlp-train-256 --threads 1

The work of a network may be done in another way than PyTorch's defaults, which words behind a slash
say, with `+` between them: `unet-train-28/fused+channels-last`. They are those of `WAYS`.
"""

import argparse
import copy
import json
import sys
import time

import torch
from torch.nn import functional as F

from networks import Dit, Mlp, UNet

IMAGES = 64
EULER_STEPS = 10
SOLVER_STEPS = 100
WAYS = {
    "bf16": "products in bfloat16, by autocast",
    "compiled": "torch.compile, which takes minutes",
    "fused": "AdamW in one kernel for all parameters",
    "channels-last": "images as rows of pixels",
    "script": "a trace of the forward pass, frozen",
}
DITS = [(28, 4), (32, 4), (32, 2), (64, 2)]
SIZES = {
    8: {"image_channels": 1, "attention": [4]},
    28: {"image_channels": 1, "attention": [7]},
    32: {"image_channels": 3, "attention": [8]},
}


class Work:
    def __init__(self, run, network=None, steps=1):
        self.run = run
        self.parameters = sum(p.numel() for p in network.parameters()) if network else 0
        self.steps = steps


def unet(size, channels=32):
    return UNet(size=size, channels=channels, **SIZES[size]), [SIZES[size]["image_channels"], size, size]


def dit(size, patch):
    """The transformer S, the shape of its images, and how many make a batch."""
    channels = 3 if size >= 32 else 1
    images = min(max(1024 * patch * patch // (size * size), 1), 16)
    return Dit(channels, size, patch), [channels, size, size], images


def layout(network, how):
    """Puts images into the layout of a way, which the network takes on."""
    if "channels-last" not in how:
        return lambda x: x
    network.to(memory_format=torch.channels_last)
    return lambda x: x.contiguous(memory_format=torch.channels_last)


def train(network, shape, rows, how=()):
    """Batch, forward, backward, AdamW, moving average."""
    call = torch.compile(network) if "compiled" in how else network
    data = torch.randn(4 * rows, *shape)
    laid_out = layout(network, how)
    average = copy.deepcopy(network).requires_grad_(False)
    fused = {"fused": True} if "fused" in how else {}
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-4, **fused)

    def step():
        x1 = data[torch.randint(len(data), (rows,))]
        x0, t = torch.randn_like(x1), torch.rand(rows)
        column = t.reshape(rows, *[1] * len(shape))
        x_t, target = column * x1 + (1 - column) * x0, x1 - x0
        with torch.autocast("cpu", torch.bfloat16, enabled="bf16" in how):
            velocity = call(laid_out(x_t), t)
        loss = (velocity.float() - target).square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 0.01)

    return Work(step, network)


def euler(network, shape, count):
    network.requires_grad_(False)

    @torch.inference_mode()
    def run():
        x = torch.randn(count, *shape)
        for i in range(EULER_STEPS):
            t = torch.full((count,), i / EULER_STEPS)
            x = x + network(x, t) / EULER_STEPS
        return x.numpy()

    return Work(run, network, EULER_STEPS)


def forward(network, shape, images=IMAGES, how=()):
    x, t = layout(network, how)(torch.randn(images, *shape)), torch.randn(images)
    with torch.inference_mode():
        call = network.eval()
        if "script" in how:
            call = torch.jit.freeze(torch.jit.trace(call, (x, t)))
            call(x, t)
            call(x, t)  # which specialises it

    @torch.inference_mode()
    def run():
        call(x, t)

    return Work(run, network)


def product(side):
    a, b = torch.randn(side, side), torch.randn(side, side)

    @torch.inference_mode()
    def run():
        a @ b

    return Work(run)


def with_backward(op, *shapes):
    leaves = [torch.randn(shape, requires_grad=True) for shape in shapes]

    def run():
        torch.autograd.grad(op(*leaves).sum(), leaves)

    return Work(run)


def conv_3x3():
    op = lambda x, weight, bias: F.conv2d(x, weight, bias, padding=1)
    return with_backward(op, (64, 64, 32, 32), (64, 64, 3, 3), (64,))


def norm_silu():
    op = lambda x, scale, shift: F.silu(F.group_norm(x, 8, scale, shift))
    return with_backward(op, (64, 64, 32, 32), (64,), (64,))


def solve(*shape):
    """dopri5 on a field that hands out a slope it keeps: what remains is the solver."""
    from torchdiffeq import odeint

    y0, slope, t = torch.randn(shape), torch.randn(shape), torch.tensor([0.0, 1.0])
    calls = 0

    def field(_t, _y):
        nonlocal calls
        calls += 1
        return slope

    @torch.inference_mode()
    def run():
        options = {"max_step": 1 / SOLVER_STEPS}
        odeint(field, y0, t, rtol=1e-5, atol=1e-5, method="dopri5", options=options)

    run()
    # Two calls find the first step; each step makes six.
    return Work(run, steps=(calls - 2) // 6)


def coupling(n, rival):
    x0, x1 = torch.randn(n, 2), torch.randn(n, 2)
    if rival == "scipy":
        from scipy.optimize import linear_sum_assignment
        from scipy.spatial.distance import cdist

        return Work(lambda: linear_sum_assignment(cdist(x0.numpy(), x1.numpy(), "sqeuclidean")))
    if rival == "POT":
        import ot

        a = ot.unif(n)
        return Work(lambda: ot.emd(a, a, ot.dist(x0.numpy(), x1.numpy())))
    from torchcfm.optimal_transport import OTPlanSampler

    sampler = OTPlanSampler("exact")
    return Work(lambda: sampler.sample_plan(x0, x1))


# Works of networks, in a way of `WAYS`.
NETWORKS = {
    **{f"mlp-train-{n}": lambda how, n=n: train(Mlp(), [2], n, how) for n in (64, 256, 1024, 4096)},
    **{f"mlp-train-256-dim-{d}": lambda how, d=d: train(Mlp(d), [d], 256, how) for d in (64, 784)},
    **{f"unet-train-{n}": lambda how, n=n: train(*unet(n), IMAGES, how) for n in SIZES},
    **{
        f"unet-train-8-channels-{c}": lambda how, c=c: train(*unet(8, c), IMAGES, how)
        for c in (16, 64)
    },
    **{f"unet-forward-{n}": lambda how, n=n: forward(*unet(n), how=how) for n in SIZES},
    **{f"dit-train-{n}-{p}": lambda how, n=n, p=p: train(*dit(n, p), how) for n, p in DITS},
    **{f"dit-forward-{n}-{p}": lambda how, n=n, p=p: forward(*dit(n, p), how) for n, p in DITS},
}
WORKS = {
    "mlp-sample-10000": lambda: euler(Mlp(), [2], 10_000),
    **{f"mlp-sample-{n}": lambda n=n: euler(Mlp(), [2], n) for n in (1, 1000)},
    **{f"unet-sample-{n}": lambda n=n: euler(*unet(8), n) for n in (1, 1000)},
    "product-2048": lambda: product(2048),
    "conv-3x3": conv_3x3,
    "norm-silu": norm_silu,
    "solve-64x2": lambda: solve(64, 2),
    "solve-64x3x32x32": lambda: solve(64, 3, 32, 32),
    **{
        f"coupling-{n}/{rival}": lambda n=n, rival=rival: coupling(n, rival)
        for n in (64, 256, 1024)
        for rival in ("POT", "scipy", "torchcfm")
    },
}


def find(name):
    """The work of a name, which may say a way."""
    base, _, words = name.partition("/")
    how = words.split("+") if words else []
    if base in NETWORKS and set(how) <= set(WAYS):
        return NETWORKS[base](how)
    if name in WORKS:
        return WORKS[name]()
    raise SystemExit(f"there is no work {name}, there are {', '.join([*NETWORKS, *WORKS])}")


def say(line):
    print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", help="a name of NETWORKS or WORKS")
    parser.add_argument("--threads", type=int)
    args = parser.parse_args()

    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    work = find(args.work)
    threads = torch.get_num_threads()
    say(
        {
            "work": args.work,
            "parameters": work.parameters,
            "steps": work.steps,
            "threads": threads,
        }
    )
    for line in sys.stdin:
        times = int(line)
        clock, cpu = time.perf_counter(), time.process_time()
        for _ in range(times):
            work.run()
        clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
        say({"times": times, "seconds": clock / times, "cpu_seconds": cpu / times})


if __name__ == "__main__":
    main()
