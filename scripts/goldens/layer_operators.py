"""Goldens of embedding, rms_norm, linear, rope and swiglu: plain definitions in fp64, gradients by autograd."""

import torch
from store import integers, normal, random


def leaf(tensor):
    return tensor.clone().requires_grad_()


def embedding(cases):
    g = random("embedding")
    N, V, D = 9, 11, 5
    ids = integers(g, V, N)
    ids[3] = ids[0]
    weight, dy, dweight = leaf(normal(g, V, D)), normal(g, N, D), normal(g, V, D)
    y = torch.nn.functional.embedding(ids.long(), weight)
    y.backward(dy)
    dims = {"N": N, "V": V, "D": D}
    cases.add("embedding", "repeated-ids", dims=dims, inputs={"ids": ids, "weight": weight}, outputs={"y": y})
    cases.add(
        "embedding_backward",
        "accumulates",
        dims=dims,
        inputs={"ids": ids, "dy": dy, "dweight": dweight},
        outputs={"dweight": dweight + weight.grad},
    )


def rms_norm(cases):
    for name, N, D, has_residual, outlier in (
        ("plain", 5, 17, False, 1),
        ("residual", 6, 33, True, 1),
        ("outliers", 3, 40, True, 20),
        ("one-row", 1, 8, False, 1),
    ):
        g = random(f"rms_norm {name}")
        epsilon = 1e-5
        x, residual, weight = normal(g, N, D), normal(g, N, D), leaf(normal(g, D))
        x[:, 0] *= outlier
        total = leaf((x + residual if has_residual else x).float().double())
        rstd = (total.pow(2).mean(-1) + epsilon).rsqrt()
        y = total * rstd[:, None] * weight
        dy, dsum, dweight = normal(g, N, D), normal(g, N, D), normal(g, D)
        y.backward(dy)
        dims = {"N": N, "D": D}
        extra = {"residual": residual} if has_residual else {}
        cases.add(
            "rms_norm",
            name,
            dims=dims,
            inputs={"x": x, **extra, "weight": weight},
            outputs={**({"sum": total} if has_residual else {}), "y": y, "rstd": rstd},
            attributes={"epsilon": epsilon},
        )
        cases.add(
            "rms_norm_backward",
            name,
            dims=dims,
            inputs={
                "x": total,
                "weight": weight,
                "rstd": rstd,
                "dy": dy,
                **({"dsum": dsum} if has_residual else {}),
                "dweight": dweight,
            },
            outputs={"dx": total.grad + (dsum if has_residual else 0), "dweight": dweight + weight.grad},
        )


def linear(cases):
    for name, N, I, O, has_bias, accumulate in (
        ("plain", 7, 12, 10, False, False),
        ("bias", 5, 33, 17, True, False),
        ("accumulate", 4, 16, 8, True, True),
        ("one-row", 1, 9, 31, False, False),
    ):
        g = random(f"linear {name}")
        x, weight, bias = leaf(normal(g, N, I)), leaf(normal(g, O, I, scale=0.3)), leaf(normal(g, O))
        dy, dx, dweight, dbias = normal(g, N, O), normal(g, N, I), normal(g, O, I), normal(g, O)
        y = x @ weight.T + (bias if has_bias else 0)
        y.backward(dy)
        dims = {"N": N, "I": I, "O": O}
        extra = {"bias": bias} if has_bias else {}
        cases.add(
            "linear",
            name,
            dims=dims,
            inputs={"x": x, "weight": weight, **extra},
            outputs={"y": y},
            attributes={"bf16": False},
        )
        cases.add(
            "linear_backward",
            name,
            dims=dims,
            inputs={
                "x": x,
                "weight": weight,
                "dy": dy,
                **({"dx": dx} if accumulate else {}),
                "dweight": dweight,
                **({"dbias": dbias} if has_bias else {}),
            },
            outputs={
                "dx": x.grad + (dx if accumulate else 0),
                "dweight": dweight + weight.grad,
                **({"dbias": dbias + bias.grad} if has_bias else {}),
            },
            attributes={"accumulate_dx": accumulate, "bf16": False},
        )


def rope(cases):
    """Rotation as a product of complex numbers; its inverse is autograd's gradient of the forward rotation."""
    g = random("rope")
    N, H, R, P = 7, 3, 4, 50
    frequency = 10000.0 ** (-torch.arange(R, dtype=torch.float64) / R)
    angle = torch.arange(P, dtype=torch.float64)[:, None] * frequency
    cos, sin = angle.cos().float().double(), angle.sin().float().double()
    positions = integers(g, P, N)
    x, dy = leaf(normal(g, N, H, 2 * R)), normal(g, N, H, 2 * R)
    turn = torch.complex(cos, sin)[positions.long()][:, None, :]
    rotated = torch.complex(x[..., :R], x[..., R:]) * turn
    y = torch.cat([rotated.real, rotated.imag], -1)
    y.backward(dy)
    dims = {"N": N, "H": H, "R": R, "P": P}
    tables = {"positions": positions, "cos": cos, "sin": sin}
    for name, given, expected in (("forward", x, y), ("inverse", dy, x.grad)):
        cases.add(
            "rope",
            name,
            dims=dims,
            inputs={"x": given, **tables},
            outputs={"y": expected},
            attributes={"inverse": name == "inverse"},
        )


def swiglu(cases):
    for name, N, F, scale in (("plain", 5, 13, 1), ("outliers", 3, 16, 20)):
        g = random(f"swiglu {name}")
        gate, up, dy = leaf(normal(g, N, F, scale=scale)), leaf(normal(g, N, F)), normal(g, N, F)
        y = gate * torch.sigmoid(gate) * up
        y.backward(dy)
        dims = {"N": N, "F": F}
        cases.add("swiglu", name, dims=dims, inputs={"gate": gate, "up": up}, outputs={"y": y})
        cases.add(
            "swiglu_backward",
            name,
            dims=dims,
            inputs={"gate": gate, "up": up, "dy": dy},
            outputs={"dgate": gate.grad, "dup": up.grad},
        )


def add(cases):
    """Adds every case of this file."""
    for operator in (embedding, rms_norm, linear, rope, swiglu):
        operator(cases)
