"""Goldens of adamw and global_norm, from torch.optim and torch.linalg in fp64."""

import torch
from store import normal, random

SETTINGS = {
    "plain": dict(lr=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01, grad_scale=1.0),
    "clipped": dict(lr=5e-5, beta1=0.9, beta2=0.95, epsilon=1e-8, weight_decay=0.1, grad_scale=0.37),
    "no-decay": dict(lr=0.1, beta1=0.8, beta2=0.99, epsilon=1e-6, weight_decay=0.0, grad_scale=1.0),
}


def adamw_step(state, grad, step, settings):
    """One step of torch.optim.AdamW from a given state; returns param, m, v."""
    param = torch.nn.Parameter(state["param"].clone())
    optimizer = torch.optim.AdamW(
        [param],
        lr=settings["lr"],
        betas=(settings["beta1"], settings["beta2"]),
        eps=settings["epsilon"],
        weight_decay=settings["weight_decay"],
    )
    moments = {"exp_avg": state["m"].clone(), "exp_avg_sq": state["v"].clone()}
    optimizer.state[param] = {"step": torch.tensor(float(step - 1)), **moments}
    param.grad = grad * settings["grad_scale"]
    optimizer.step()
    after = optimizer.state[param]
    return {"param": param.detach(), "m": after["exp_avg"], "v": after["exp_avg_sq"]}


def add(cases):
    """Adds every case of this file; each step starts from the fp32 values of the one before."""
    N = 19
    for name, settings in SETTINGS.items():
        g = random(f"adamw {name}")
        zeros = torch.zeros(N, dtype=torch.float64)
        state = {"param": normal(g, N), "m": zeros, "v": zeros}
        for step in range(1, 6):
            grad = normal(g, N, scale=10.0 ** (step - 3))
            grad[0] = 0
            after = adamw_step(state, grad, step, settings)
            cases.add(
                "adamw",
                f"{name}-step-{step}",
                dims={"N": N},
                inputs={"param": state["param"], "grad": grad, "m": state["m"], "v": state["v"]},
                outputs=after,
                attributes={**settings, "step": step},
            )
            state = {field: tensor.float().double() for field, tensor in after.items()}
    g = random("global_norm")
    for name, N in (("one", 1), ("ragged", 1037)):
        x, before = normal(g, N), normal(g, 1).abs()
        squares = before + torch.linalg.vector_norm(x) ** 2
        cases.add(
            "global_norm",
            name,
            dims={"N": N},
            inputs={"x": x, "sum_squares": before},
            outputs={"sum_squares": squares},
        )
