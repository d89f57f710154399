"""Goldens of unlearn_head: the plain definitions of docs/math.md section 1 in fp64, gradients by autograd.

Nothing here knows the stable form or the closed-form gradients that the operator uses. At the margins of these cases
(at most 15) fp64 loses less than 1e-9 of -log1p(-p).
"""

import torch
from store import integers, normal, random

# As packages/losses/src/methods.ts: method, beta1 and beta2 of the operator.
METHODS = {
    "complement": (0, 0, 0),
    "ga": (1, 0, 0),
    "wga": (1, 1, 0),
    "satimp": (1, 5, 1),
    "min-prob": (2, 0, 0),
    "unlikelihood-clamped": (3, 0, 0),
}


def row_losses(logits, targets, original_logits):
    """Per row: nll, p of the target and KL(original || this); targets must be valid."""
    logp = torch.log_softmax(logits, -1)
    nll = -logp.gather(1, targets[:, None].long())[:, 0]
    kl = torch.zeros_like(nll)
    if original_logits is not None:
        original_logp = torch.log_softmax(original_logits, -1)
        kl = (original_logp.exp() * (original_logp - logp)).sum(-1)
    return nll, torch.exp(-nll), kl


def forgetting(method, p, nll):
    """Loss of a forget row and c(p), the weight of its gradient; the weights of ascent are not differentiated."""
    kind, beta1, beta2 = METHODS[method]
    if kind == 1:
        s = (p**beta1 * (1 - p) ** beta2).detach()
        return -s * nll, s * (1 - p)
    if kind == 2:
        return p, p * (1 - p)
    if kind == 3:
        return -torch.log((1 - p).clamp(min=1e-5)), torch.where(1 - p > 1e-5, p, 0)
    return -torch.log1p(-p), p


def head(hidden, weight, targets, originals, case):
    """Sums [8], per-row nll, p, kl [N], and the scaled loss whose gradients are dhidden and dweight."""
    N, F = len(targets), case["num_forget"]
    valid = targets >= 0
    safe = targets.clamp(min=0)
    logits = hidden @ weight.T
    nll, p, kl = row_losses(logits, safe, None)
    if originals is not None:
        original_hidden, original_weight = originals
        M = len(original_hidden)
        tail = row_losses(logits[N - M :], safe[N - M :], original_hidden @ original_weight.T)[2]
        kl = torch.cat([kl[: N - M], tail])
    row = torch.arange(N)
    is_forget, is_replay = (row < F) & valid, (row >= F) & valid
    loss, c = forgetting(case["method"], p[is_forget], nll[is_forget])
    kl = torch.where(is_replay, kl, 0)
    terms = [loss.sum(), nll[is_replay].sum(), kl.sum()]
    sums = [*terms, is_forget.sum(), is_replay.sum(), p[is_forget].sum(), c.abs().sum(), 0]
    total = sum(scale * term for scale, term in zip(case["scales"], terms))
    per_row = {"nll": torch.where(valid, nll, 0), "p": torch.where(valid, p, 0), "kl": kl}
    return torch.tensor([float(torch.as_tensor(value).detach()) for value in sums], dtype=torch.float64), per_row, total


def case(N, num_forget, M, D, V, **options):
    """N rows, the first num_forget to forget; the last M have an original (0: none); scales of the three terms."""
    defaults = {"scales": (1.0, 1.0, 1.0), "method": "complement", "ignored": []}
    return {"N": N, "num_forget": num_forget, "M": M, "D": D, "V": V, **defaults, **options}


CASES = {
    "all-terms": case(12, 5, 7, 6, 23, scales=(0.01, 1.0, 1.0), ignored=[1, 8]),
    "scaled-by-counts": case(41, 20, 21, 16, 507, scales=(0.0005, 0.05, 0.07), ignored=[0, 19, 20, 40]),
    "ga": case(12, 5, 7, 6, 23, scales=(0.01, 1.0, 0.5), method="ga", ignored=[2]),
    "forget-only": case(6, 6, 0, 5, 8, scales=(1.0, 0.0, 0.0)),
    "replay-only": case(6, 0, 0, 5, 8, scales=(0.0, 1.0, 0.0), ignored=[5]),
    "original-of-some-replay-rows": case(9, 3, 4, 5, 8, scales=(0.3, 0.6, 0.9), ignored=[7]),
    "original-of-forget-rows-too": case(9, 3, 8, 5, 8, scales=(0.3, 0.6, 0.9)),
    "two-words": case(5, 3, 2, 4, 2),
    "all-ignored": case(4, 2, 2, 3, 7, ignored=[0, 1, 2, 3]),
    "memorised": case(8, 4, 4, 8, 31, margin=14.0),
    "memorised-ga": case(8, 4, 4, 8, 31, method="ga", margin=14.0),
    "wga": case(12, 9, 3, 6, 23, scales=(0.3, 1.0, 0.5), method="wga", ignored=[2]),
    "satimp": case(12, 9, 3, 6, 23, scales=(0.3, 1.0, 0.5), method="satimp", ignored=[2]),
    "min-prob": case(12, 9, 3, 6, 23, scales=(0.3, 1.0, 0.5), method="min-prob", ignored=[2]),
    "unlikelihood-clamped": case(12, 9, 3, 6, 23, scales=(0.3, 1.0, 0.5), method="unlikelihood-clamped", ignored=[2]),
    "memorised-unlikelihood-clamped": case(8, 4, 4, 8, 31, method="unlikelihood-clamped", margin=14.0),
    "outliers": case(8, 4, 4, 8, 31, outlier=20.0),
}


def memorise(row, weight, y, margin):
    """Moves a hidden state along its target's weight, by at most 40, until the target leads all others by margin."""
    direction = weight[y] / weight[y].norm()
    others = torch.arange(len(weight)) != y
    for _ in range(200):
        logits = weight @ row
        if logits[y] - torch.logsumexp(logits[others], 0) >= margin:
            break
        row = (row + 0.2 * direction).float().double()
    return row


def make_inputs(name, case):
    g = random(f"unlearn_head {name}")
    N, M, D, V = case["N"], case["M"], case["D"], case["V"]
    hidden, weight, targets = normal(g, N, D), normal(g, V, D), integers(g, V, N)
    originals = (normal(g, M, D), normal(g, V, D)) if M > 0 else None
    if "margin" in case:
        for n, y in enumerate(targets.tolist()):
            hidden[n] = memorise(hidden[n], weight, y, case["margin"])
    if "outlier" in case:
        # Large logits on words that no row targets: p of the targets is tiny.
        targets = targets % (V - 1)
        weight[V - 1] *= case["outlier"]
    for row in case["ignored"]:
        targets[row] = -1
    return hidden, weight, targets, originals, normal(g, V, D)


def add(cases):
    """Adds every case of this file."""
    for name, case in CASES.items():
        hidden, weight, targets, originals, dweight = make_inputs(name, case)
        hidden.requires_grad_()
        weight.requires_grad_()
        sums, per_row, total = head(hidden, weight, targets, originals, case)
        total.backward()
        assert all(torch.isfinite(t).all() for t in (sums, hidden.grad, weight.grad)), name
        inputs = {"hidden": hidden, "weight": weight, "targets": targets, "dweight": dweight}
        if originals is not None:
            inputs |= dict(zip(("original_hidden", "original_weight"), originals))
        scales = dict(zip(("scale_forgetting", "scale_replay", "scale_mitigation"), case["scales"]))
        cases.add(
            "unlearn_head",
            name,
            dims={key: case[key] for key in ("N", "M", "D", "V")},
            inputs=inputs,
            outputs={"sums": sums, "dhidden": hidden.grad, "dweight": dweight + weight.grad, **per_row},
            attributes={
                **scales,
                "num_forget": case["num_forget"],
                **dict(zip(("method", "beta1", "beta2"), METHODS[case["method"]])),
                "bf16": False,
            },
        )
