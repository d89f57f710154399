"""Goldens of the plain operators: binary, unary, fill, reduce, matmul and copy_block."""

import torch
from store import normal, random

BINARY = (torch.add, torch.sub, torch.mul, torch.div, torch.maximum, torch.minimum)
UNARY = {
    "neg": torch.neg,
    "square": torch.square,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "reciprocal": torch.reciprocal,
    "abs": torch.abs,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "step": lambda x: (x > 0).double(),
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
}
POSITIVE_ONLY = ("log", "sqrt", "rsqrt")


def binary(cases):
    g = random("binary")
    for kind, function in enumerate(BINARY):
        a, b = normal(g, 24), normal(g, 24).abs() + 0.5
        row, column = b[:4].clone(), b[:6].clone()
        y = function(a.view(6, 4), row)
        z = function(a.view(6, 4), column[:, None])
        for name, other, b_repeat, expected in (("row", row, 1, y), ("column", column, 4, z), ("same", b, 1, function(a, b))):
            cases.add(
                "binary",
                f"{function.__name__}-{name}",
                dims={"N": 24, "A": 24, "B": len(other)},
                inputs={"a": a, "b": other},
                outputs={"y": expected.reshape(-1)},
                attributes={"a_repeat": 1, "b_repeat": b_repeat, "kind": kind},
            )


def unary(cases):
    g = random("unary")
    for kind, (name, function) in enumerate(UNARY.items()):
        x = normal(g, 21, scale=3)
        x[:4] = torch.tensor([30.0, -30.0, 0.25, -0.25], dtype=torch.float64)
        if name in POSITIVE_ONLY:
            x = x.abs()
        cases.add(
            "unary", name, dims={"N": 21}, inputs={"x": x}, outputs={"y": function(x)}, attributes={"kind": kind}
        )


def fill_and_reduce(cases):
    g = random("reduce")
    value = 0.1
    filled = torch.full((7,), value, dtype=torch.float64)
    cases.add("fill", "value", dims={"N": 7}, inputs={}, outputs={"y": filled}, attributes={"value": value})
    for kind, (name, function) in enumerate({"sum": torch.sum, "mean": torch.mean, "max": torch.amax}.items()):
        for O, D, I in ((3, 5, 4), (6, 37, 1), (1, 9, 8)):
            x = normal(g, O, D, I)
            cases.add(
                "reduce",
                f"{name}-{O}x{D}x{I}",
                dims={"O": O, "D": D, "I": I},
                inputs={"x": x},
                outputs={"y": function(x, 1)},
                attributes={"kind": kind},
            )


def matmul(cases):
    g = random("matmul")
    M, N, K = 5, 7, 9
    for P, A, B in ((1, 1, 1), (3, 3, 1), (4, 2, 4)):
        for transpose_a in (False, True):
            for transpose_b in (False, True):
                a, b = normal(g, A, M, K), normal(g, B, K, N)
                y = torch.stack([a[p % A] @ b[p % B] for p in range(P)])
                cases.add(
                    "matmul",
                    f"{P}x{A}x{B}{'-ta' if transpose_a else ''}{'-tb' if transpose_b else ''}",
                    dims={"P": P, "A": A, "B": B, "M": M, "N": N, "K": K},
                    inputs={"a": a.mT if transpose_a else a, "b": b.mT if transpose_b else b},
                    outputs={"y": y},
                    attributes={"transpose_a": transpose_a, "transpose_b": transpose_b},
                )


def copy_block(cases):
    g = random("copy_block")
    x, before = normal(g, 20), normal(g, 30)
    after = before.clone()
    after[:30].view(5, 6)[1:4, 2:5] = x.view(4, 5)[1:4, :3]
    cases.add(
        "copy_block",
        "block",
        dims={"X": 20, "Y": 30},
        inputs={"x": x, "y": before},
        outputs={"y": after},
        attributes={"rows": 3, "cols": 3, "x_offset": 5, "x_stride": 5, "y_offset": 8, "y_stride": 6},
    )


def add(cases):
    """Adds every case of this file."""
    for operator in (binary, unary, fill_and_reduce, matmul, copy_block):
        operator(cases)
